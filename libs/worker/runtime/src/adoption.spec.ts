/** A worker that takes over what its former life left, and leaves the same to its next. */
import { asTaskKey, asWorkerId } from '@spillway/kernel';
import { PROTOCOL_VERSION, type WorkerHello, type WorkerToScheduler } from '@spillway/messages';
import type { Cancellable, Logger, TaskExecutor, Timers } from '@spillway/ports';
import { DEFAULT_LIMITS, WorkerMachine } from '@spillway/worker-machine';
import { DEFAULT_MEMORY_OPTIONS, GrowthWatch, MemoryMachine } from '@spillway/worker-memory';
import { WorkerMemory } from './memory/worker-memory.js';
import { aPayload, FakeSpillingStore } from './testing/fake-spilling-store.js';
import { WorkerRuntime } from './worker-runtime.js';

const LIMIT_BYTES = 1000;
const [a, b, c] = [asTaskKey('a'), asTaskKey('b'), asTaskKey('c')];

/** Time passes when it is told to. */
class HandTimers implements Timers {
  readonly #due = new Map<() => void, number>();

  after(delayMs: number, call: () => void): Cancellable {
    this.#due.set(call, delayMs);
    return { cancel: () => this.#due.delete(call) };
  }

  every(): Cancellable {
    return { cancel: () => undefined };
  }

  soon(call: () => void): void {
    queueMicrotask(call);
  }

  get waitingMs(): readonly number[] {
    return [...this.#due.values()];
  }

  passAll(): void {
    for (const call of this.#due.keys()) call();
    this.#due.clear();
  }
}

class Rig {
  readonly store = new FakeSpillingStore();
  readonly timers = new HandTimers();
  readonly logged: string[] = [];
  readonly hellos: WorkerHello[] = [];
  readonly sent: WorkerToScheduler[] = [];
  readonly memoryMachine = new MemoryMachine({ ...DEFAULT_MEMORY_OPTIONS, limitBytes: LIMIT_BYTES });
  readonly machine = new WorkerMachine({
    ...DEFAULT_LIMITS,
    workerId: asWorkerId('w-2'),
    slotCount: 1,
    transferBytesMax: false,
    validate: true,
    seed: 1,
  });
  readonly runtime: WorkerRuntime;

  constructor() {
    const log = (_fields: unknown, text?: string): unknown => this.logged.push(text ?? '');
    const logger = { debug: log, info: log, warn: log, error: log } as unknown as Logger;
    const clock = { nowMs: () => 0 };
    this.runtime = new WorkerRuntime({
      machine: this.machine,
      clock,
      timers: this.timers,
      logger,
      memory: new WorkerMemory({
        machine: this.memoryMachine,
        store: this.store,
        growthWatch: new GrowthWatch({
          limitBytes: LIMIT_BYTES,
          runawayFraction: false,
          guiltyFraction: 1,
          terminateFraction: false,
          growthBytesPerMs: 1,
        }),
        clock,
        timers: this.timers,
        logger,
        ownMemory: { read: () => ({ processBytes: 100, processPeakBytes: 100, heapUnusedBytes: 0 }) },
        malloc: { kind: 'other', freeBytes: () => undefined, trim: () => Promise.resolve(false) },
        collectors: [],
        monitorIntervalMs: 200,
        servingMax: 1,
        explainRefusal: (reason) => reason,
      }),
      makeExecutor: () => AN_IDLE_EXECUTOR,
      openLink: (hello) => {
        this.hellos.push(hello());
        return Promise.resolve({ send: (message) => this.sent.push(message), close: () => undefined });
      },
      identity: () => ({
        workerId: asWorkerId('w-2'),
        name: 'w',
        address: 'w:1',
        nthreads: 1,
        memoryLimitBytes: LIMIT_BYTES,
        isLimitEnforced: true,
        pid: 1,
        protocol: PROTOCOL_VERSION,
        softwareVersion: 'test',
      }),
      heartbeatIntervalMs: 1000,
      measure: () => ({ cpuFraction: 0, loopDelayMs: 0 }),
      loopDelay: () => Promise.resolve({ p50Ms: 0, p99Ms: 0, maxMs: 0 }),
      onEnd: () => undefined,
    });
  }

  start(): Promise<void> {
    return this.runtime.start({
      gather: () => Promise.resolve({ type: 'gather-busy' }),
      forget: () => undefined,
      setServingMax: () => undefined,
      setAcceptingTasks: () => undefined,
      collectGarbage: () => Promise.resolve(),
    });
  }
}

const AN_IDLE_EXECUTOR: TaskExecutor = {
  slotCount: 1,
  execute: () => undefined,
  stop: () => undefined,
  runAside: () => new Promise(() => undefined),
  unloadModules: () => undefined,
  collectGarbage: () => Promise.resolve(),
  heapUnusedBytes: 0,
  cachedBytes: 0,
  dropCachedCopies: () => Promise.resolve(),
  forgetCopies: () => undefined,
  close: () => Promise.resolve(),
};

test('what was adopted is announced with the hello, and counts as spilled', async () => {
  const rig = new Rig();
  rig.store.disk.set(a, aPayload(300));
  rig.store.disk.set(b, aPayload(50));
  rig.runtime.adopt([
    { key: a, nbytes: 300, diskBytes: 310 },
    { key: b, nbytes: 50, diskBytes: 60 },
  ]);
  await rig.start();

  expect(rig.hellos.map(({ holdings }) => holdings)).toEqual([
    [
      { key: a, nbytes: 300 },
      { key: b, nbytes: 50 },
    ],
  ]);
  expect(rig.memoryMachine.readings()).toMatchObject({ keyCount: 2, spilledBytes: 370, countedBytes: 0 });
  rig.machine.check();
  rig.memoryMachine.check();
});

test('an adopted value that is not what was written is lost like any other', async () => {
  const rig = new Rig();
  rig.runtime.adopt([{ key: a, nbytes: 300, diskBytes: 310 }]);
  await rig.start();
  rig.runtime.onValuesLost([a]);

  expect(rig.sent).toMatchObject([{ type: 'replicas-lost', keys: [a] }]);
  expect(rig.memoryMachine.readings()).toMatchObject({ keyCount: 0, spilledBytes: 0 });
});

describe('a worker that closes', () => {
  async function holding(): Promise<Rig> {
    const rig = new Rig();
    await rig.start();
    for (const key of [a, b, c]) await rig.runtime.accept({ key, payload: aPayload(100) });
    await rig.store.evict([b]);
    rig.store.evictions.length = 0;
    return rig;
  }

  test('to make way for its next life says so, and first writes what is in RAM only', async () => {
    const rig = await holding();
    await rig.runtime.close('recycled', true);

    expect(rig.sent.at(-1)).toMatchObject({ type: 'worker-closing', leavesValues: true });
    expect(rig.store.evictions).toEqual([[a, c]]);
    expect([...rig.store.disk.keys()].toSorted()).toEqual([a, b, c]);
    expect(rig.logged.at(-1)).toContain('3 values are on disk for the next life of this worker, 0 are not');
    expect(rig.timers.waitingMs).toEqual([]);
  });

  test('writes no longer than it may', async () => {
    const rig = await holding();
    rig.store.whileEvicting = () => new Promise(() => undefined);
    rig.store.refuseBecause = 'disk-full';
    const closed = rig.runtime.close('recycled', true);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    expect(rig.timers.waitingMs).toEqual([3000]);
    rig.timers.passAll();
    await closed;

    expect(rig.logged.at(-1)).toContain('1 values are on disk for the next life of this worker, 2 are not');
  });

  test('for good writes nothing', async () => {
    const rig = await holding();
    await rig.runtime.close('the cluster closes');

    expect(rig.sent.at(-1)).toMatchObject({ type: 'worker-closing', leavesValues: false });
    expect(rig.store.evictions).toEqual([]);
  });
});
