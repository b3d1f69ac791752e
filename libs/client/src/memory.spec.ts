import { asWorkerId } from '@spillway/kernel';
import { NO_READINGS, type WorkerInfo } from '@spillway/messages';
import { memoryOf } from './memory.js';
import { aClient } from './testing/client-rig.js';

const aWorker = (info: Partial<WorkerInfo> = {}): WorkerInfo => ({
  workerId: asWorkerId('w'),
  name: 'w',
  address: 'w:1',
  status: 'running',
  nthreads: 1,
  memoryLimitBytes: 1_000,
  ...NO_READINGS,
  isUnderPressure: false,
  processingCount: 0,
  keyCount: 0,
  ...info,
});

const colourOf = (info: Partial<WorkerInfo>): unknown => memoryOf([aWorker(info)]).workers[0]?.colour;

test('a worker is blue as long as it operates as normal', () => {
  expect(colourOf({ processBytes: 700 })).toBe('blue');
});

test('it is orange while it may be spilling', () => {
  expect(colourOf({ processBytes: 700, isUnderPressure: true })).toBe('orange');
});

test.each<[string, Partial<WorkerInfo>]>([
  ['paused', { status: 'paused', isUnderPressure: true }],
  ['retiring', { status: 'retiring' }],
  ['about to be ended', { processBytes: 950 }],
])('it is red when it is %s', (_what, info) => {
  expect(colourOf(info)).toBe('red');
});

test('without a limit it is never about to be ended', () => {
  expect(colourOf({ processBytes: 1e12, memoryLimitBytes: false })).toBe('blue');
});

test('the cluster has the sums, in which the parts are exactly process memory, and the worst colour', () => {
  const parts = { managedBytes: 10, unmanagedOldBytes: 20, unmanagedRecentBytes: 30, processBytes: 60 };
  const memory = memoryOf([
    aWorker({ ...parts, spilledBytes: 5, hoardedBytes: 7, spillWrittenBytes: 9, spillReadBytes: 4 }),
    aWorker({ ...parts, spilledBytes: 6, status: 'paused', processPeakBytes: 90 }),
  ]);

  expect(memory.total).toEqual({
    processBytes: 120,
    managedBytes: 20,
    unmanagedOldBytes: 40,
    unmanagedRecentBytes: 60,
    hoardedBytes: 7,
    spilledBytes: 11,
    spillWrittenBytes: 9,
    spillReadBytes: 4,
    memoryLimitBytes: 2_000,
    colour: 'red',
  });
});

test('with a worker that has no limit the cluster has none, nor without workers', () => {
  expect(memoryOf([aWorker(), aWorker({ memoryLimitBytes: false })]).total.memoryLimitBytes).toBe(false);
  expect(memoryOf([]).total).toMatchObject({ processBytes: 0, memoryLimitBytes: false, colour: 'blue' });
});

test('a client asks for it', async () => {
  const { client, cluster } = aClient();
  cluster.statuses.set('w1', 'paused');

  const { workers, total } = await client.memory();

  expect(workers).toEqual([
    {
      workerId: 'w1',
      name: 'name-of-w1',
      status: 'paused',
      memoryLimitBytes: false,
      isUnderPressure: false,
      colour: 'red',
      ...NO_READINGS,
    },
  ]);
  expect(total.colour).toBe('red');
});
