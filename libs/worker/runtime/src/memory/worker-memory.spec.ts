import { asTaskKey, type TaskKey } from '@spillway/kernel';
import type { Cancellable, Malloc, OwnMemory, Timers } from '@spillway/ports';
import type { WorkerEvent } from '@spillway/worker-machine';
import { DEFAULT_MEMORY_OPTIONS, GrowthWatch, MemoryMachine, type BusyWith } from '@spillway/worker-memory';
import { aPayload, FakeSpillingStore } from '../testing/fake-spilling-store.js';
import { WorkerMemory } from './worker-memory.js';

const MIB = 2 ** 20;
const LIMIT = 100 * MIB;

interface LogLine {
  readonly level: string;
  readonly fields: object;
  readonly text: string;
}

/** The runtime with everything around it in the hands of the spec; the machine is the real one. */
function aRig() {
  const store = new FakeSpillingStore();
  const own: { -readonly [Name in keyof OwnMemory]: OwnMemory[Name] } = {
    processBytes: 10 * MIB,
    processPeakBytes: 11 * MIB,
    heapUnusedBytes: 0,
  };
  const done: string[] = [];
  const told: WorkerEvent[] = [];
  const lines: LogLine[] = [];
  const busyWith: BusyWith[] = [undefined];
  const clock = { nowMs: 1_000_000 };
  const log = (level: string) => (fields: object, text: string) => lines.push({ level, fields, text });
  const malloc: Malloc = {
    kind: 'glibc',
    freeBytes: () => 3 * MIB,
    trim: () => {
      done.push('trim');
      return Promise.resolve(true);
    },
  };
  const machine = new MemoryMachine({ ...DEFAULT_MEMORY_OPTIONS, limitBytes: LIMIT });
  const memory = new WorkerMemory({
    machine,
    store,
    growthWatch: aGrowthWatch(),
    clock: { nowMs: () => clock.nowMs },
    timers: STILL_TIMERS,
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') } as never,
    ownMemory: { read: () => ({ ...own }) },
    malloc,
    collectors: [() => Promise.resolve(void done.push('collect main')), () => Promise.resolve()],
    monitorIntervalMs: 200,
    servingMax: 10,
    explainRefusal: (reason) => `it is ${reason}`,
  });
  memory.connect({
    executor: {
      collectGarbage: () => Promise.resolve(void done.push('collect tasks')),
      heapUnusedBytes: 2 * MIB,
      cachedBytes: 0,
      dropCachedCopies: () => Promise.resolve(void done.push('drop copies')),
    },
    tellTasks: (event) => told.push(event),
    busyWith: () => busyWith,
    running: () => [asTaskKey('busy')],
    recycle: (reason) => done.push(`recycle: ${reason}`),
  });
  memory.start({
    setServingMax: (count) => done.push(`serve ${count}`),
    setAcceptingTasks: (on) => done.push(`accept tasks ${on}`),
    collectGarbage: () => Promise.resolve(void done.push('collect transfers')),
  });
  return { memory, machine, store, own, done, told, lines, busyWith, clock };
}

const aGrowthWatch = (): GrowthWatch =>
  new GrowthWatch({
    limitBytes: LIMIT,
    runawayFraction: 0.9,
    guiltyFraction: 0.25,
    terminateFraction: false,
    growthBytesPerMs: 1,
  });

/** Time stands still: what is asked for later is not the matter here, but for what follows this turn. */
const STILL_TIMERS: Timers = {
  after: (delayMs, call): Cancellable => {
    if (delayMs === 200) queueMicrotask(call);
    return { cancel: () => undefined };
  },
  every: () => ({ cancel: () => undefined }),
  soon: () => undefined,
};

/** Everything that was begun and needs no time has ended. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

const key = (name: string): TaskKey => asTaskKey(name);

test('what the machine wants out of RAM leaves it, and the machine hears what became of each value', async () => {
  const { memory, machine, store } = aRig();
  for (const name of ['a', 'b', 'c']) memory.store.put(key(name), aPayload(25 * MIB));
  await settled();

  expect(store.location(key('a'))).toBe('disk');
  expect(machine.placeOf(key('a'))).toBe('disk');
  expect(machine.readings().countedBytes).toBe(50 * MIB);
  expect(memory.readings()).toMatchObject({ spilledBytes: 25 * MIB });
});

test('a value that a task has begun to use stays, and is on disk as well', async () => {
  const { memory, machine, store } = aRig();
  store.isInUse = (used) => machine.isPinned(used);
  memory.store.put(key('a'), aPayload(50 * MIB));
  memory.store.put(key('b'), aPayload(25 * MIB));
  memory.store.pin([key('a')]);
  await settled();

  expect(machine.placeOf(key('a'))).toBe('both');
});

test('a disk that refuses is said once, with what it means, and tells the tasks to go on one at a time', async () => {
  const { memory, store, told, lines } = aRig();
  store.refuseBecause = 'read-only';
  for (const name of ['a', 'b', 'c']) memory.store.put(key(name), aPayload(25 * MIB));
  await settled();

  expect(lines.filter(({ text }) => text.includes('it is read-only'))).toHaveLength(1);
  expect(told.filter(({ type }) => type === 'set-admission').at(-1)).toMatchObject({
    admission: 'one-at-a-time',
  });
  expect(memory.readings().spillRefusedBecause).toBe('read-only');
});

test('evictions go in parts, so that the first is heard of before the last is written', async () => {
  const { memory, store } = aRig();
  memory.store.put(key('big'), aPayload(30 * MIB));
  for (let index = 0; index < 10; index++) memory.store.put(key(`v${index}`), aPayload(3 * MIB));
  memory.tell({ type: 'limit-changed', limitBytes: 20 * MIB });
  await settled();

  expect(store.evictions.map((keys) => keys.length)).toEqual([1, 3, 3]);
  expect(memory.readings().spilledBytes).toBeGreaterThanOrEqual(48 * MIB);
});

test('memory above pause pauses tasks and transfers, and memory that fell lets them go on', () => {
  const { memory, own, told, done } = aRig();
  own.processBytes = 85 * MIB;
  memory.sample();
  expect(told).toContainEqual(expect.objectContaining({ type: 'status-change', status: 'paused' }));
  expect(done).toEqual(expect.arrayContaining(['accept tasks false', 'serve 1']));

  own.processBytes = 10 * MIB;
  memory.sample();
  memory.sample();
  expect(told.at(-1)).toMatchObject({ type: 'status-change', status: 'running' });
  expect(done.slice(-2)).toEqual(['serve 10', 'accept tasks true']);
});

test('before anything is spilled for process memory every isolate collects and malloc is trimmed', async () => {
  const { memory, own, done, store } = aRig();
  memory.store.put(key('a'), aPayload(20 * MIB));
  own.processBytes = 75 * MIB;
  memory.sample();
  await settled();

  expect(done).toEqual(['collect main', 'collect tasks', 'collect transfers', 'trim']);
  expect(store.evictions).toEqual([]);
});

test('each line about a threshold has the numbers, the cause and what runs', () => {
  const { memory, own, lines } = aRig();
  own.processBytes = 85 * MIB;
  memory.sample();

  const line = lines.find(({ text }) => text.startsWith('paused'));
  expect(line).toMatchObject({
    level: 'warn',
    fields: {
      event: 'worker.paused',
      processBytes: 85 * MIB,
      limitBytes: LIMIT,
      thresholdBytes: 80 * MIB,
      running: ['busy'],
    },
  });
  expect(line?.text).toContain('process 85 MiB of 100 MiB, 85 %; pause is 80 MiB');
});

test('the parts of process memory add up in what is read, and hoarded is what isolates and malloc keep', () => {
  const { memory } = aRig();
  memory.store.put(key('a'), aPayload(4 * MIB));
  memory.sample();

  const readings = memory.readings();
  expect(readings.managedBytes + readings.unmanagedOldBytes + readings.unmanagedRecentBytes).toBe(
    readings.processBytes,
  );
  expect(readings).toMatchObject({
    processBytes: 10 * MIB,
    managedBytes: 4 * MIB,
    hoardedBytes: 5 * MIB,
    processPeakBytes: 11 * MIB,
  });
});

test('a task that drives the process to its limit is ended, after garbage was collected', async () => {
  const { memory, own, told, busyWith, clock } = aRig();
  busyWith[0] = { runId: 7, sinceMs: clock.nowMs };
  for (const processBytes of [60 * MIB, 92 * MIB, 94 * MIB]) {
    own.processBytes = processBytes;
    clock.nowMs += 200;
    memory.sample();
    await settled();
  }

  expect(told.filter(({ type }) => type === 'runaway-growth')).toMatchObject([
    { slot: 0, processBytes: 94 * MIB, limitBytes: LIMIT },
  ]);
});

test('trimming by hand collects everywhere first, and reports what it brought', async () => {
  const { memory, own, done } = aRig();
  own.processBytes = 30 * MIB;
  const trimming = memory.trimNow();
  own.processBytes = 12 * MIB;

  expect(await trimming).toEqual({
    allocator: 'glibc',
    trimmed: true,
    beforeBytes: 30 * MIB,
    afterBytes: 12 * MIB,
    managedBytes: 0,
    hoardedBeforeBytes: 5 * MIB,
  });
  expect(done).toEqual(['collect main', 'collect tasks', 'collect transfers', 'trim']);
});

test('a value that is read back while the rest of its part is being written is in RAM for the machine, too', async () => {
  const { memory, machine, store } = aRig();
  memory.store.put(key('a'), aPayload(30 * MIB));
  memory.store.put(key('b'), aPayload(25 * MIB));
  store.whileEvicting = () => store.load(key('a'));
  memory.store.put(key('c'), aPayload(25 * MIB));
  await settled();

  expect(store.location(key('a'))).toBe('both');
  expect(machine.placeOf(key('a'))).not.toBe('disk');
});
