import { asNannyId, asWorkerId, type SeededRandom } from '@spillway/kernel';
import { PROTOCOL_VERSION, type NannyToWorker } from '@spillway/messages';
import { NannyMachine } from '@spillway/nanny-machine';
import { NannyRuntime } from '@spillway/nanny-runtime';
import type { Child, ChildProcesses, SpawnRequest } from '@spillway/ports';
import { LIMIT_BYTES, SimWorker } from './sim-worker.js';
import type { ProcessTimers } from './sim-time.js';
import type { SimWorld } from './sim-world.js';

const START_MS = 100;
const REAP_MS = 5;

function machineOf(nannyId: string, workerNames: readonly string[], adopts: boolean): NannyMachine {
  return new NannyMachine({
    nannyId: asNannyId(nannyId),
    workerNames,
    closeTimeoutMs: 2_000,
    restartDrainMs: 1_500,
    startTimeoutMs: 60_000,
    workerTtlMs: 5_000,
    backoffBaseMs: 100,
    backoffMaxMs: 2_000,
    stableMs: 5_000,
    quarantineDeaths: 5,
    quarantineWindowMs: 5_000,
    quarantineReleaseMs: 5_000,
    limitBytes: LIMIT_BYTES,
    terminateFraction: 0.95,
    growthBytesPerMs: 10,
    adopts,
  });
}

/** One simulated nanny process and the workers it starts. */
export class SimNanny implements ChildProcesses {
  readonly #timers: ProcessTimers;
  readonly #runtime: NannyRuntime;
  readonly #nannyId: string;
  /** By process id. */
  readonly #children = new Map<number, SimWorker>();
  #spawnCount = 0;
  isAlive = true;

  constructor(
    private readonly world: SimWorld,
    readonly name: string,
    life: number,
    workerCount: number,
    onFinished: () => void,
  ) {
    this.#nannyId = `${name}.${life}`;
    this.#timers = world.time.timersOfProcess();
    const workerNames = Array.from({ length: workerCount }, (_, slot) => `${name}-${slot}`);
    this.#runtime = new NannyRuntime({
      machine: machineOf(this.#nannyId, workerNames, world.adopts),
      clock: world.time,
      timers: this.#timers,
      logger: world.logger,
      children: this,
      processMemory: {
        read: (pid) => Promise.resolve(this.#children.get(pid)?.memory.read().processBytes),
      },
      oomKillCount: () => 0,
      workerArgs: (workerId, workerName) => [workerId, workerName],
      workerEnviron: () => ({}),
      onWorkerGone: () => undefined,
      workerExecArgv: () => [],
      openLink: (listener) =>
        world.network.connect(this.#nannyId, listener, (link) =>
          world.scheduler.openNanny(
            {
              nannyId: asNannyId(this.#nannyId),
              name,
              address: this.#nannyId,
              pid: 1,
              protocol: PROTOCOL_VERSION,
              softwareVersion: 'simulated',
              quarantined: this.#runtime.quarantined,
            },
            link,
          ),
        ),
    });
    void this.#runtime.finished.then(() => {
      for (const workerName of workerNames) world.folders.delete(workerName);
      if (!this.isAlive) return;
      this.#gone();
      onFinished();
    });
  }

  start(): void {
    this.#runtime.start().catch(() => this.#gone());
  }

  spawn({ args, onMessage, onExit }: SpawnRequest): Child {
    const [id = '', name = ''] = args;
    const workerId = asWorkerId(id);
    const { world } = this;
    const pid = ++this.#spawnCount;
    const worker = new SimWorker(
      world,
      workerId,
      name,
      this.#nannyId,
      (message) => this.#timers.after(1, () => onMessage(message)),
      (end) => {
        world.workers.delete(workerId);
        this.#children.delete(pid);
        this.#timers.after(REAP_MS, () => onExit({ ...end, stderrTail: '' }));
      },
    );
    this.#children.set(pid, worker);
    world.workers.set(workerId, worker);
    world.time.after(START_MS, () => worker.isAlive && worker.start());
    return {
      pid,
      send: (message) => {
        const told = message as NannyToWorker;
        if (told.type === 'close') void worker.end('closed', told.reason, told.leavesValues);
        if (told.type === 'retire') worker.retire(told.reason, told.deadlineMs, told.leavesAll);
      },
      signal: (signal) => worker.die({ code: null, signal }),
    };
  }

  /** An operator wants one of its workers replaced. */
  restartSome(random: SeededRandom): void {
    const worker = random.pick([...this.#children.values()].filter(({ isAlive }) => isAlive));
    if (this.isAlive && worker !== undefined) this.#runtime.restartWorker(worker.workerId, 'simulated');
  }

  /** SIGTERM. */
  stop(retireMs: number): void {
    if (this.isAlive) this.#runtime.stop('simulated', retireMs);
  }

  /** Killed: its workers go with it, and nobody tells the scheduler. */
  die(): void {
    if (!this.isAlive) return;
    this.#gone();
    for (const worker of [...this.#children.values()]) worker.die({ code: 0, signal: null });
  }

  #gone(): void {
    this.isAlive = false;
    this.#timers.stop();
    this.world.network.processDied(this.#nannyId);
  }
}
