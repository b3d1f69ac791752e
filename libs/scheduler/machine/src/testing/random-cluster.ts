/**
 * A small cluster driven by numbers: each step turns four of them into something that can happen, sensible or not (stale
 * runs, unknown workers, keys nobody knows, graphs that contradict each other). Meant for property tests.
 */
import { asClientId, asTaskKey, asWorkerId, type RunId } from '@spillway/kernel';
import type { WorkerStatus } from '@spillway/messages';
import type { SchedulerInstruction } from '../instructions.js';
import type { SchedulerMachineOptions } from '../options.js';
import { aTask, aVerdict, type WorkerDraft } from './builders.js';
import { TestScheduler, type Run } from './test-scheduler.js';
import { ancestorsOf, inTwo, KEY_COUNT, keyOf, randomTask, WORKER_NAMES } from './random-tasks.js';
import { OutsideView } from './told.js';

/** Which step, and three numbers it may use. All from 0; any size. */
export type Step = readonly [kind: number, a: number, b: number, c: number];

const CLIENTS = ['c0', 'c1', 'c2'];
const STATUSES: readonly WorkerStatus[] = ['running', 'paused', 'running', 'retiring'];
/** Inputs of one task come to 400 bytes at most. */
const LIMITS: readonly (number | false)[] = [false, 150, 250];

/** A healed cluster that has not come to rest after so many rounds never will. */
const HEAL_ROUNDS_MAX = 200;

export class RandomCluster {
  readonly scheduler: TestScheduler;
  readonly outside = new OutsideView();
  readonly #lives = new Map<string, number>();
  #partsCount = 0;
  /** Until when clients that scatter data may be held up, after a death of the scheduler; and those that have done so. */
  #recoveryUntilMs = -1;
  readonly #heldUp = new Set<string>();
  /** What workers were told to copy and have not answered. */
  readonly #copies: { workerId: string; key: string; from: readonly string[] }[] = [];

  readonly #steps: readonly ((a: number, b: number, c: number) => void)[] = [
    (a, b) => this.#connect(this.#client(a), b),
    (a) => this.#do(this.scheduler.disconnect(this.#client(a))),
    (a) => this.#do(this.scheduler.close(this.#client(a))),
    (a, b, c) => this.#submit(a, b, c),
    (a, b, c) => this.#submit(a, b, c),
    (a, b, c) => this.#submit(a, b, c),
    (a, b, c) => this.#register(a, b, c),
    (a, b, c) => this.#register(a, b, c),
    (a, b, c) => this.#lose(a, b % 3 === 0, c),
    ...Array.from({ length: 8 }, () => (a: number, b: number) => this.#finish(this.#run(a), b)),
    (a, b) => this.#withRun(a, (run) => this.scheduler.err(run.key, { mayRetry: b % 3 > 0 }, run)),
    (a) => this.#withRun(a, (run) => this.scheduler.handBack(run.key, run)),
    (a, b, c) => this.#do(this.scheduler.release(this.#client(a), keyOf(b), keyOf(c))),
    (a, b) => this.#desire(this.#client(a), keyOf(b)),
    (a, b, c) => this.#do(this.scheduler.cancel(this.#client(a), [keyOf(b)], c % 2 === 0)),
    (a, b) => this.#do(this.scheduler.retry(this.#client(a), keyOf(b))),
    (a, b, c) => this.#scatter(a, b, c),
    (a, b) => this.#addReplica(this.#worker(a), keyOf(b)),
    (a, b, c) => this.#reportMissing(a, b, c),
    (a, b) => this.#loseReplica(this.#worker(a), keyOf(b)),
    (a, b) =>
      this.#do(
        this.scheduler.handle({
          type: 'request-who-has',
          workerId: asWorkerId(this.#worker(a)),
          keys: [asTaskKey(keyOf(b))],
        }),
      ),
    (a, b) => this.#do(this.scheduler.setStatus(this.#worker(a), STATUSES[b % STATUSES.length] ?? 'running')),
    (a, b, c) => this.#heartbeat(a, b, c),
    (a, b, c) => this.#heartbeat(a, b, c),
    (a) => this.#pauseAll(a),
    (a) => this.#pauseAll(a),
    (a, b, c) => this.#retire(a, b, c),
    (a, b, c) => this.#retire(a, b, c),
    ...Array.from({ length: 3 }, () => (a: number) => this.#copy(a)),
    (a) => this.#do(this.scheduler.tick(this.scheduler.nowMs + (a % 40) * 1000)),
    (a) => this.#do(this.scheduler.tick(this.scheduler.nowMs + (a % 2))),
    (a, b) => this.#restartScheduler(a, b),
  ];

  readonly #memorySteps: readonly ((a: number, b: number, c: number) => void)[] = [
    (a, b, c) => this.#submit(a, b, 4 + (c % 2)),
    (a, b, c) => this.#submit(a, b, 4 + (c % 2)),
    ...Array.from({ length: 8 }, () => (a: number, b: number) => this.#finish(this.#run(a % 2), b)),
    (a) => this.#pauseAll(7 - (a % 2) * 6),
    (a) => this.#pauseAll(7 - (a % 2) * 6),
    (a, b) => this.#do(this.scheduler.setStatus(this.#worker(a % 3), b % 3 === 0 ? 'paused' : 'running')),
    (a, b, c) => this.#heartbeat(a, b, c),
    (a) => this.#withRun(a % 2, (run) => this.scheduler.handBack(run.key, run)),
    (a, b) => this.#do(this.scheduler.release(this.#client(a), keyOf(b))),
    (a, b) => this.#addReplica(this.#worker(a % 3), keyOf(b)),
    (a) => this.#do(this.scheduler.tick(this.scheduler.nowMs + (a % 20) * 1000)),
  ];

  readonly #limitSteps: readonly ((a: number, b: number, c: number) => void)[] = [
    ...this.#memorySteps,
    (a, b, c) => this.#register(a, b, c),
    (a, b, c) => this.#lose(a, b % 3 === 0, c),
    (a, b, c) => this.#heartbeat(a, b, c, LIMITS[c % 3]),
    (a, b, c) => this.#heartbeat(a, b, c, LIMITS[c % 3]),
  ];

  readonly #mayStandStill: boolean;

  /**
   * `memory`: workers pause and resume and results come and go; hardly anything else happens. `limits`: the same on three
   * workers with memory limits that change, and workers that come and go.
   */
  constructor(
    options: SchedulerMachineOptions = {},
    private readonly emphasis: 'everything' | 'memory' | 'limits' = 'everything',
  ) {
    this.scheduler = new TestScheduler(options);
    this.#mayStandStill = options.memoryStuckTimeoutMs === false;
    this.#do(this.scheduler.connect('c0'));
    this.#do(this.scheduler.connect('c1'));
    this.#newLife('w0', {});
    if (emphasis === 'limits') for (const index of [1, 2]) this.#newLife(`w${index}`, {}, 1, LIMITS[index]);
  }

  /** Throws when the machine contradicts itself or the world outside, or lets tasks wait for nothing. */
  step([kind, a, b, c]: Step): void {
    const steps = {
      everything: this.#steps,
      memory: this.#memorySteps,
      limits: this.#limitSteps,
    }[this.emphasis];
    steps[kind % steps.length]?.(a, b, c);
    const contradictions = [...this.outside.contradictions(this.scheduler.machine), ...this.#standstills()];
    if (contradictions.length > 0) throw new Error(contradictions.join('\n'));
  }

  /** Every worker is there and finishes what it gets; what is still unfinished after that is returned, in words. */
  heal(): string[] {
    for (const name of WORKER_NAMES) this.#ensureRunning(name);
    for (let round = 0; round < HEAL_ROUNDS_MAX && this.#advance(); round += 1);
    const counts = this.scheduler.machine.countsByState;
    const left = (['waiting', 'queued', 'no-worker', 'processing', 'awaited'] as const)
      .filter((name) => counts[name] > 0)
      .map((name) => `${counts[name]} ${name}`);
    return [...left, ...this.outside.leaks(this.scheduler.machine)];
  }

  /**
   * Tasks that could run, and nothing that will ever make them: no run that could end, and no timer. (A worker that retires
   * will end; one that no worker may run waits for workers.) With the timeout for stuck clusters off there may be some.
   */
  #standstills(): string[] {
    const { machine } = this.scheduler;
    const counts = machine.countsByState;
    if (counts.processing > 0 || machine.nextWakeMs !== undefined || this.#mayStandStill) return [];
    const workers = machine.listWorkers();
    const mayGoOn = workers.filter((worker) => worker.status !== 'retiring');
    const found: string[] = [];
    if (counts.queued > 0 && mayGoOn.length > 0) found.push(`${counts.queued} queued tasks wait for nothing`);
    const areAllPaused =
      workers.length === WORKER_NAMES.length && workers.every((worker) => worker.status === 'paused');
    if (counts['no-worker'] > 0 && areAllPaused)
      found.push(`${counts['no-worker']} restricted tasks wait for nothing`);
    return found;
  }

  #ensureRunning(name: string): void {
    const worker = this.scheduler.machine.findWorker(name);
    if (worker === undefined || worker.status === 'retiring') this.#newLife(name, {});
    else this.#do(this.scheduler.setStatus(worker.workerId, 'running'));
  }

  /** One round of finishing everything. False when there was nothing to do. */
  #advance(): boolean {
    const { machine } = this.scheduler;
    const current = this.scheduler.runs.filter(
      (run) => machine.stateOf(asTaskKey(run.key)) === 'processing' && this.scheduler.runOf(run.key) === run,
    );
    for (const run of current) this.#finish(run, 0);
    const wakeMs = machine.nextWakeMs;
    if (wakeMs !== undefined) this.#do(this.scheduler.tick(Math.max(wakeMs, this.scheduler.nowMs)));
    return current.length > 0 || wakeMs !== undefined;
  }

  #do(instructions: readonly SchedulerInstruction[]): void {
    this.outside.hear(instructions);
    for (const instruction of instructions) {
      if (instruction.type !== 'send-to-worker' || instruction.message.type !== 'acquire-replicas') continue;
      const { workerId } = instruction;
      for (const { key, whoHas } of instruction.message.replicas)
        this.#copies.push({ workerId, key, from: whoHas.map((holder) => holder.workerId) });
    }
  }

  /** By its operator, or because it was told to end itself. */
  #retire(a: number, b: number, c: number): void {
    const deadlineMs = (c % 4) * 5_000;
    if (b % 2 === 0)
      this.#do(this.scheduler.retire([this.#worker(a), this.#worker(a + (b % 3))], deadlineMs));
    else
      this.#do(
        this.scheduler.requestRetirement(this.#worker(a), {
          deadlineMs,
          mayLeave: b % 3 === 0,
          leavesAll: c % 3 === 0,
        }),
      );
  }

  /** Some worker has fetched what it was told to, if somebody still has it. */
  #copy(a: number): void {
    const [copy] = this.#copies.splice(a % Math.max(1, this.#copies.length), 1);
    if (copy === undefined) return;
    const { workerId, key, from } = copy;
    if (from.some((holder) => this.outside.storeOf(holder).has(key))) this.#addReplica(workerId, key);
  }

  /** A key with everything it depends on; now and then something is wrong with it. */
  #submit(a: number, b: number, c: number): void {
    const target = b % KEY_COUNT;
    const tasks = [...ancestorsOf(target)].map((index) => randomTask(index, a));
    const last = tasks.at(-1);
    const flaw = c % 16;
    if (flaw === 0) tasks.shift();
    if (flaw === 1 && last !== undefined) tasks.push(aTask(last.key, { args: 1 }));
    if (flaw === 2 && last !== undefined) tasks.unshift(aTask('k0', { dependencies: [last.key] }));
    if (flaw > 10) tasks.reverse();
    const wants = c % 3 === 0 ? tasks.map((task) => task.key) : [keyOf(target)];
    const client = this.#client(a);
    if (this.#isHeldUp(client)) return;
    if (c % 2 === 0) this.#do(this.scheduler.submit(client, tasks, wants));
    else this.#do(this.scheduler.submitInParts(client, `parts-${++this.#partsCount}`, inTwo(tasks, wants)));
  }

  /** It would hear that data is lost and that a task of its key runs in one go, and make no sense of that. */
  #isHeldUp(client: string): boolean {
    return this.#heldUp.has(client) && this.scheduler.nowMs <= this.#recoveryUntilMs;
  }

  #desire(client: string, key: string): void {
    if (!this.#isHeldUp(client)) this.#do(this.scheduler.desire(client, key));
  }

  #connect(id: string, b: number): void {
    if (!this.outside.isAway(id)) {
      this.#do(this.scheduler.connect(id));
      return;
    }
    this.outside.isBack(id);
    const wants = this.scheduler.machine.wantsOf(asClientId(id)) ?? [];
    this.#do(this.scheduler.resume(id, ...wants.filter((_, i) => (b + i) % 7 > 0)));
  }

  /** Some clients and workers come back to it at once, with some of their runs; others later or never. */
  #restartScheduler(a: number, b: number): void {
    const before = this.scheduler.machine;
    const workers = before.listWorkers();
    const clients = CLIENTS.map((id) => ({ id, wants: before.wantsOf(asClientId(id)) }));
    const goOn = this.scheduler.runs.filter(
      (run, index) =>
        (a + index) % 3 > 0 &&
        before.stateOf(asTaskKey(run.key)) === 'processing' &&
        this.scheduler.runOf(run.key) === run,
    );
    this.#recoveryUntilMs = this.scheduler.nowMs + 10_000;
    this.#heldUp.clear();
    this.outside.schedulerRestarted();
    this.#do(this.scheduler.restart());
    for (const [index, { id, wants }] of clients.entries())
      if (wants !== undefined && (b >> index) % 4 > 0) this.#connect(id, a);
    for (const [index, { workerId, name, nthreads, memoryLimitBytes }] of workers.entries()) {
      if ((a >> index) % 3 === 0) continue;
      const holdings = Object.fromEntries([...this.outside.storeOf(workerId)].map((key) => [key, 100]));
      const runs = goOn.filter((run) => run.workerId === workerId).map(({ key, runId }) => [key, runId]);
      const executing = Object.fromEntries(runs) as Record<string, RunId>;
      this.#do(this.scheduler.register(workerId, { name, nthreads, memoryLimitBytes, holdings, executing }));
    }
  }

  #register(a: number, b: number, c: number): void {
    const name = WORKER_NAMES[a % WORKER_NAMES.length] ?? 'w0';
    const holdings: Record<string, number> = {};
    for (let bit = 0; bit < b % 4; bit += 1) holdings[keyOf(c + bit)] = 100;
    if (c % 3 === 0 && this.#lives.has(name)) {
      const id = this.#worker(a);
      this.#begin(id, { name, holdings, nthreads: 1 + (b % 2), memoryLimitBytes: LIMITS[c % 3] ?? false });
    } else {
      this.#newLife(name, holdings, 1 + (b % 2), LIMITS[(b + c) % 3]);
    }
  }

  #newLife(
    name: string,
    holdings: Readonly<Record<string, number>>,
    nthreads = 1,
    memoryLimitBytes: number | false = false,
  ): void {
    this.#lives.set(name, (this.#lives.get(name) ?? 0) + 1);
    const id = `${name}.${this.#lives.get(name) ?? 0}`;
    this.#begin(id, { name, holdings, nthreads, memoryLimitBytes });
  }

  #begin(
    id: string,
    draft: Required<Omit<WorkerDraft, 'isLimitEnforced' | 'executing' | 'nannyId' | 'terminateFraction'>>,
  ): void {
    this.outside.startStore(id, Object.keys(draft.holdings));
    this.outside.setLimit(id, draft.memoryLimitBytes);
    this.#do(this.scheduler.register(id, draft));
  }

  /** By `how`: dead by its nanny's word or not, and with a successor that may bring some of its values. */
  #lose(a: number, onPurpose: boolean, how: number): void {
    const worker = this.#worker(a);
    const verdict = how % 2 === 0 ? { verdict: aVerdict(worker) } : {};
    this.#do(this.scheduler.lose(worker, { onPurpose, leavesValues: how % 3 === 0, ...verdict }));
  }

  #finish(run: Run | undefined, b: number): void {
    if (run === undefined || this.#isSupersededOnItsWorker(run)) return;
    this.outside.storeOf(run.workerId).add(run.key);
    this.#do(this.scheduler.finish(run.key, { nbytes: (b % 5) * 50, durationMs: (b % 40) / 4 }, run));
  }

  /** A worker that has the result of an old run answers the new one with it at once; it does not report the old one. */
  #isSupersededOnItsWorker(run: Run): boolean {
    const current = this.scheduler.runOf(run.key);
    return current !== run && current.workerId === run.workerId;
  }

  #withRun(a: number, act: (run: Run) => readonly SchedulerInstruction[]): void {
    const run = this.#run(a);
    if (run !== undefined) this.#do(act(run));
  }

  #scatter(a: number, b: number, c: number): void {
    // A client that has a future for the key knows that it is taken.
    // And while its graph is being committed the announcement waits, and the worker may lose the data meanwhile.
    const { nextWakeMs } = this.scheduler.machine;
    if (nextWakeMs !== undefined && nextWakeMs <= this.scheduler.nowMs) return;
    if (this.scheduler.machine.wantsOf(asClientId(this.#client(a)))?.includes(asTaskKey(keyOf(b)))) return;
    const holders = c % 5 === 0 ? [] : [this.#worker(c), this.#worker(c + b)];
    // A worker that runs the task of that key would report the value as its result.
    if (holders.includes(this.scheduler.runOf(keyOf(b)).workerId)) return;
    for (const holder of holders) this.outside.storeOf(holder).add(keyOf(b));
    this.#heldUp.add(this.#client(a));
    this.#do(this.scheduler.scatter(this.#client(a), keyOf(b), 100, ...holders));
  }

  #addReplica(workerId: string, key: string): void {
    this.outside.storeOf(workerId).add(key);
    this.#do(this.scheduler.addReplica(workerId, key));
  }

  #reportMissing(a: number, b: number, c: number): void {
    this.#do(this.scheduler.reportMissing(this.#worker(a), keyOf(b), this.#worker(c)));
  }

  #loseReplica(workerId: string, key: string): void {
    this.outside.storeOf(workerId).delete(key);
    this.#do(this.scheduler.loseReplicas(workerId, key));
  }

  #heartbeat(a: number, b: number, c: number, memoryLimitBytes: number | false = false): void {
    const run = this.#run(b);
    const worker = this.#worker(a);
    if (memoryLimitBytes !== false) this.outside.setLimit(worker, memoryLimitBytes);
    this.#do(
      this.scheduler.heartbeat(worker, run === undefined ? {} : { [run.key]: b % 2000 }, {
        isUnderPressure: c % 3 === 0,
        ...(memoryLimitBytes === false ? {} : { memoryLimitBytes }),
        processBytes: (b % 10) * 100,
        managedBytes: (b % 10) * 50,
        unmanagedOldBytes: (b % 10) * 50,
        hoardedBytes: c % 50,
        spillWrittenBytes: Math.floor(c / 200) * 100,
        ...(c % 7 === 0 ? { spillRefusedBecause: 'disk-full' } : {}),
      }),
    );
  }

  /** All or all but one. */
  #pauseAll(a: number): void {
    for (const [index, name] of WORKER_NAMES.entries()) {
      const worker = this.scheduler.machine.findWorker(name);
      if (worker === undefined || a % 8 === index) continue;
      this.#do(this.scheduler.setStatus(worker.workerId, 'paused'));
    }
  }

  #client(index: number): string {
    return CLIENTS[index % CLIENTS.length] ?? 'c0';
  }

  /** Mostly the present life of a worker, sometimes an earlier one. */
  #worker(index: number): string {
    const name = WORKER_NAMES[index % WORKER_NAMES.length] ?? 'w0';
    const life = this.#lives.get(name) ?? 0;
    return `${name}.${index % 7 === 6 ? Math.max(0, life - 1) : life}`;
  }

  /** One of the last runs, current or not. */
  #run(index: number): Run | undefined {
    const { runs } = this.scheduler;
    return runs[runs.length - 1 - (index % 6)];
  }
}
