import { asStimulusId, asTaskKey, InvalidArgumentError, UnknownWorkerError } from '@spillway/kernel';
import type { RetirementReport } from '@spillway/messages';
import { TestRuntime } from './testing.spec-d.js';

const request = { workers: ['w'], deadlineMs: 10_000, reason: 'test' };

/** Two workers; `w` has the result `x`, which alice wants. */
async function withResult(): Promise<{ test: TestRuntime; other: ReturnType<TestRuntime['openWorker']> }> {
  const test = new TestRuntime();
  test.openClient('alice');
  const worker = test.openWorker('w');
  await test.submit('alice', 'x');
  test.finish(worker, 'x');
  return { test, other: test.openWorker('other') };
}

const nextOf = async (reports: AsyncIterator<readonly RetirementReport[]>): Promise<unknown> =>
  (await reports.next()).value;

test('a call is told how far it is, at once and each second, and last how it ended', async () => {
  const { test, other } = await withResult();
  const reports = test.runtime.retireWorkers(request, new AbortController().signal)[Symbol.asyncIterator]();
  expect(await nextOf(reports)).toMatchObject([{ name: 'w', outcome: 'retiring', remainingCount: 1 }]);

  const second = nextOf(reports);
  // It goes on to wait before time passes.
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  test.time.pass(1_000);
  expect(await second).toMatchObject([{ outcome: 'retiring', forMs: 1_000 }]);

  const last = nextOf(reports);
  other.listener.onMessages([
    {
      type: 'replicas-added',
      stimulusId: asStimulusId('s'),
      replicas: [{ key: asTaskKey('x'), nbytes: 1 }],
    },
  ]);
  expect(await last).toMatchObject([{ outcome: 'retired', copiedCount: 1, remainingCount: 0 }]);
  expect((await reports.next()).done).toBe(true);
});

test('a worker that leaves at once is told of all the same, and is told to close for good', async () => {
  const test = new TestRuntime();
  const { link } = test.openWorker('w');
  test.openWorker('other');

  const reports: (readonly RetirementReport[])[] = [];
  for await (const batch of test.runtime.retireWorkers(request, new AbortController().signal))
    reports.push(batch);

  expect(reports).toMatchObject([[{ name: 'w', outcome: 'retired' }]]);
  expect(link.sent).toMatchObject([
    { type: 'retire-worker' },
    { type: 'close-worker', retired: { leavesValues: false } },
  ]);
});

test('workers nobody knows, and no workers, are refused before anything happens', () => {
  const test = new TestRuntime();
  test.openWorker('w');
  const { signal } = new AbortController();

  expect(() => test.runtime.retireWorkers({ ...request, workers: ['w', 'v'] }, signal)).toThrow(
    UnknownWorkerError,
  );
  expect(() => test.runtime.retireWorkers({ ...request, workers: [] }, signal)).toThrow(InvalidArgumentError);
  expect(test.machine.listWorkers()).toMatchObject([{ status: 'running' }]);
});

test('who stops listening changes nothing for the workers', async () => {
  const { test } = await withResult();
  const caller = new AbortController();
  const reports = test.runtime.retireWorkers(request, caller.signal)[Symbol.asyncIterator]();
  await reports.next();
  const next = reports.next();
  caller.abort();

  expect((await next).done).toBe(true);
  expect(test.machine.listWorkers()).toMatchObject([{ name: 'w', status: 'retiring' }, { name: 'other' }]);
});
