import { asWorkerId } from '@spillway/kernel';
import type { TrimReport } from '@spillway/messages';
import { aClient } from './testing/client-rig.js';
import { concludeTrim, trimMemory } from './trim-memory.js';

const MIB = 1024 ** 2;

const aReport = (beforeMib: number, afterMib: number, draft: Partial<TrimReport> = {}): TrimReport => ({
  allocator: 'glibc',
  trimmed: true,
  beforeBytes: beforeMib * MIB,
  afterBytes: afterMib * MIB,
  managedBytes: 100 * MIB,
  hoardedBeforeBytes: 0,
  ...draft,
});

test('unmanaged memory that decreases significantly was hoarded, and the next step is to trim automatically', () => {
  const conclusion = concludeTrim(aReport(700, 200));

  expect(conclusion).toMatchObject({
    verdict: 'hoarded',
    unmanagedBeforeBytes: 600 * MIB,
    unmanagedAfterBytes: 100 * MIB,
    givenBackBytes: 500 * MIB,
  });
  expect(conclusion.text).toContain('fell from 600 MiB to 100 MiB: it was hoarded');
  expect(conclusion.text).toContain('worker.memory.trim');
});

test('otherwise there likely is a leak, or tasks use it', () => {
  const conclusion = concludeTrim(aReport(700, 690));

  expect(conclusion.verdict).toBe('in-use-or-leaked');
  expect(conclusion.text).toContain('leaked');
});

test.each([
  ['a tenth of unmanaged memory', 1_100, 1_000, 'hoarded'],
  ['less than a tenth', 1_100, 1_001, 'in-use-or-leaked'],
  ['less than 16 MiB, however large a share', 235, 220, 'little'],
  ['16 MiB of little', 236, 220, 'hoarded'],
  ['nothing, and it grew', 600, 700, 'in-use-or-leaked'],
  ['nothing of the little that a worker needs', 190, 190, 'little'],
])('what was given back is %s', (_what, beforeMib, afterMib, verdict) => {
  expect(concludeTrim(aReport(beforeMib, afterMib)).verdict).toBe(verdict);
});

test.each<[TrimReport['allocator'], string]>([
  ['jemalloc', 'MALLOC_CONF'],
  ['musl', 'glibc, or jemalloc'],
  ['other', 'macOS'],
  ['glibc', 'could not be called'],
])('where malloc cannot be told (%s) there is no verdict, and another way', (allocator, advice) => {
  const conclusion = concludeTrim(aReport(700, 700, { allocator, trimmed: false }));

  expect(conclusion.verdict).toBe('cannot-be-trimmed');
  expect(conclusion.text).toContain(advice);
});

test('memory that only the garbage collector gave back is said to be garbage', () => {
  const conclusion = concludeTrim(aReport(700, 200, { allocator: 'jemalloc', trimmed: false }));

  expect(conclusion.verdict).toBe('hoarded');
  expect(conclusion.text).toContain('worker.memory.garbage-debt');
});

test('a client runs it on workers as a function that they have built in', async () => {
  const { client, cluster } = aClient();
  const report = aReport(700, 200);
  const asked: unknown[] = [];
  cluster.onRun = (request, workers) => {
    asked.push(request.function, workers);
    const data = new TextEncoder().encode(JSON.stringify(report));
    return Promise.resolve([
      { workerId: asWorkerId('w1'), outcome: { type: 'run-success', result: { encoding: 'json', data } } },
    ]);
  };

  const reports = await client.run(trimMemory, [], { workers: ['w1'] });

  expect(asked).toEqual([{ kind: 'preinstalled', module: 'spillway', exportName: 'trimMemory' }, ['w1']]);
  expect(reports).toEqual(new Map([['w1', report]]));
});
