/** Does what the plan says, when it says so, and says what came of it. */
import type { Client } from '@spillway/client';
import type { ChaosCluster } from './chaos-cluster.js';
import type * as Tasks from './chaos.tasks.js';
import type { Reasons } from './deaths.js';
import { describeAction, LINKS, type Action, type LinkName } from './plan.js';
import { signal, type ProcessIdentity } from './process-identity.js';
import type { ChaosRecord } from './record.js';
import type { SpillDisk } from './spill-disk.js';
import type { Handles } from '@spillway/client';

/** What a bomb's submitter may hear; anything else is wrong. */
const BOMB_CODES = new Set(['TASK_OUT_OF_MEMORY', 'KILLED_WORKER']);

export interface PerformerOptions {
  readonly cluster: ChaosCluster;
  readonly client: Client;
  readonly tasks: Handles<typeof Tasks>;
  readonly record: ChaosRecord;
  readonly reasons: Reasons;
  readonly disk: SpillDisk;
  readonly bombTimeoutMs: number;
}

export class Performer {
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #stopped = new Set<ProcessIdentity>();
  readonly #bombs = new Set<Promise<void>>();
  #isAbandoned = false;

  constructor(private readonly options: PerformerOptions) {}

  /** Plans one action after the other; `heal` ends them all. */
  begin(plan: readonly Action[]): void {
    const nowMs = this.options.record.nowMs();
    for (const action of plan) this.#after(Math.max(0, action.atMs - nowMs), () => this.#perform(action));
  }

  /** Undoes what lasts, and does nothing more. */
  heal(): void {
    const { cluster, disk } = this.options;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    for (const link of LINKS) cluster.proxies.get(link)?.heal();
    for (const one of this.#stopped) signal(one, 'SIGCONT');
    disk.empty();
    for (const nanny of ['a', 'b', 'c'] as const) if (!cluster.isNannyUp(nanny)) cluster.restartNanny(nanny);
  }

  /** The client is about to close: what bombs end with from now on says nothing. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  /** Resolves when every bomb has gone out. */
  async bombsOut(): Promise<void> {
    await Promise.all(this.#bombs);
  }

  #after(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }

  #perform(action: Action): void {
    const { cluster, record, reasons, disk } = this.options;
    record.count(record.actions, action.kind);
    record.say(`→ ${describeAction(action)}`);
    const nowMs = record.nowMs();
    switch (action.kind) {
      case 'kill-worker': {
        const target = cluster.worker(action.worker);
        if (target === undefined || !signal(target, 'SIGKILL'))
          record.say(`  there is no ${action.worker} at the moment`);
        else reasons.killed(target.pid, nowMs);
        break;
      }
      case 'kill-nanny':
        cluster.killNanny(action.nanny);
        this.#after(action.forMs, () => cluster.restartNanny(action.nanny));
        break;
      case 'stop-worker':
        this.#stop(action.worker, action.forMs);
        break;
      case 'bomb':
        for (let count = 0; count < action.count; count++) this.#light(action.bomb);
        break;
      case 'fill-disk':
        record.say(`  ${Math.round(disk.fill() / 2 ** 20)} MiB taken`);
        this.#after(action.forMs, () => {
          disk.empty();
          record.say('← the disk has room again');
        });
        break;
      case 'kill-scheduler':
        cluster.killScheduler();
        reasons.disturbed(nowMs + action.forMs);
        for (const link of LINKS) this.#silence(link, nowMs + action.forMs);
        this.#after(action.forMs, () => void cluster.startScheduler().catch(() => undefined));
        break;
      case 'cut':
        record.say(`  ${cluster.proxies.get(action.link)!.cut()} connections`);
        this.#silence(action.link, nowMs);
        break;
      case 'black-hole':
      case 'delay':
      case 'throttle':
        this.#weather(action);
        break;
    }
  }

  #weather(action: Extract<Action, { kind: 'black-hole' | 'delay' | 'throttle' }>): void {
    const { cluster, record } = this.options;
    const proxy = cluster.proxies.get(action.link)!;
    if (action.kind === 'black-hole') proxy.blackHole(action.direction);
    else if (action.kind === 'delay') proxy.delay(action);
    else proxy.throttle(action.bytesPerSecond);
    this.#silence(action.link, record.nowMs() + action.forMs);
    this.#after(action.forMs, () => {
      proxy.heal();
      record.say(`← ${action.link} works again`);
    });
  }

  #silence(link: LinkName, untilMs: number): void {
    if (link === 'client' || link === 'peers-of-c') this.options.reasons.disturbed(untilMs);
    else this.options.reasons.silenced(link, untilMs);
  }

  #stop(workerName: string, forMs: number): void {
    const { cluster, record, reasons } = this.options;
    const target = cluster.worker(workerName);
    if (target === undefined || !signal(target, 'SIGSTOP')) {
      record.say(`  there is no ${workerName} at the moment`);
      return;
    }
    this.#stopped.add(target);
    reasons.silenced(target.nanny, record.nowMs() + forMs);
    reasons.stopped(target.pid, record.nowMs() + forMs);
    this.#after(forMs, () => {
      this.#stopped.delete(target);
      record.say(
        signal(target, 'SIGCONT') ? `← worker ${workerName} goes on` : `← worker ${workerName} is gone`,
      );
    });
  }

  #light(kind: Extract<Action, { kind: 'bomb' }>['bomb']): void {
    const { client, tasks, record, reasons, bombTimeoutMs } = this.options;
    const task = { fast: tasks.growFast, heap: tasks.growHeap, slow: tasks.growSlowly }[kind];
    const future = client.submit(task);
    reasons.bombLit(future);
    const outcome = future
      .exception({ timeout: bombTimeoutMs })
      .then((error) => {
        if (this.#isAbandoned) return;
        const code = error?.code ?? 'a result';
        record.count(record.bombs, code);
        if (error === undefined || !BOMB_CODES.has(code))
          record.find('wrong', `a bomb of kind "${kind}" ended with ${code}: ${error?.message}`);
        else {
          record.verified(1);
          record.say(`← a bomb of kind "${kind}" ended with ${code}`);
        }
      })
      .catch((error: unknown) => {
        if (!this.#isAbandoned) record.find('hung', `a bomb of kind "${kind}" has no end: ${String(error)}`);
      })
      .finally(() => {
        reasons.bombOut(future, record.nowMs());
        future.release();
        this.#bombs.delete(outcome);
      });
    this.#bombs.add(outcome);
  }
}
