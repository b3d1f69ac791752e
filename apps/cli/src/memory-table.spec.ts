import type { ClusterMemory, WorkerMemory } from '@spillway/client';
import { asWorkerId } from '@spillway/kernel';
import { memoryTable } from './memory-table.js';

const MIB = 1024 ** 2;

const aWorker = (name: string, memory: Partial<WorkerMemory> = {}): WorkerMemory => ({
  workerId: asWorkerId(name),
  name,
  status: 'running',
  memoryLimitBytes: 240 * MIB,
  isUnderPressure: false,
  colour: 'blue',
  processBytes: 120 * MIB,
  managedBytes: 60 * MIB,
  unmanagedOldBytes: 40 * MIB,
  unmanagedRecentBytes: 20 * MIB,
  hoardedBytes: 10 * MIB,
  spilledBytes: 0,
  processPeakBytes: 120 * MIB,
  spillWrittenBytes: 0,
  spillReadBytes: 0,
  ...memory,
});

const cluster = (...workers: WorkerMemory[]): ClusterMemory => ({
  workers,
  total: { ...aWorker('total'), processBytes: 240 * MIB, memoryLimitBytes: 480 * MIB, colour: 'red' },
});

const linesOf = (memory: ClusterMemory, hasColours = false): string[] =>
  memoryTable(memory, { hasColours }).trimEnd().split('\n');
const rowOf = (memory: ClusterMemory, name: string): string[] =>
  linesOf(memory)
    .find((line) => line.includes(`│ ${name} `))
    ?.split('│')
    .map((cell) => cell.trim()) ?? [];

test('a worker has its state, its memory as a bar that is full at the limit, and the numbers', () => {
  expect(rowOf(cluster(aWorker('w1')), 'w1')).toEqual([
    '',
    'w1',
    'normal',
    '██████▓▓▓▓▒▒············',
    '120 MiB',
    '240 MiB',
    '60 MiB',
    '40 MiB',
    '20 MiB',
    '10 MiB',
    '0 B',
    '',
  ]);
});

test('spilled values stand behind the bar, and what does not fit is marked', () => {
  const some = aWorker('some', { spilledBytes: 50 * MIB });
  const many = aWorker('many', { spilledBytes: 5_000 * MIB });
  const memory = cluster(some, many);

  expect(rowOf(memory, 'some')[3]).toBe('██████▓▓▓▓▒▒············ ░░░░░');
  expect(rowOf(memory, 'many')[3]).toBe('██████▓▓▓▓▒▒············ ░░░░░░░░░░░+');
});

test('without a limit, or above it, the bar is full', () => {
  const memory = cluster(
    aWorker('free', { memoryLimitBytes: false }),
    aWorker('over', { memoryLimitBytes: 100 * MIB, colour: 'red' }),
  );

  expect(rowOf(memory, 'free').slice(2, 6)).toEqual([
    'normal',
    '████████████▓▓▓▓▓▓▓▓▒▒▒▒',
    '120 MiB',
    'none',
  ]);
  expect(rowOf(memory, 'over')[2]).toBe('near its limit');
});

test('states can be read without colour, and the cluster has a row of its own unless it is one worker', () => {
  const memory = cluster(
    aWorker('w1', { colour: 'orange' }),
    aWorker('w2', { status: 'paused', colour: 'red' }),
    aWorker('w3', { status: 'retiring', colour: 'red' }),
  );

  expect(['w1', 'w2', 'w3'].map((name) => rowOf(memory, name)[2])).toEqual([
    'spilling',
    'paused',
    'retiring',
  ]);
  expect(rowOf(memory, '3 workers').slice(4, 6)).toEqual(['240 MiB', '480 MiB']);
  expect(rowOf(cluster(aWorker('w1')), '1 workers')).toEqual([]);
  expect(rowOf(cluster(), '0 workers')).not.toEqual([]);
  expect(linesOf(memory).join('')).not.toContain('\u001b');
});

test.each([
  ['blue', '\u001b[34m'],
  ['orange', '\u001b[38;5;208m'],
  ['red', '\u001b[31m'],
] as const)('a bar is %s in a terminal, and what is spilled grey', (colour, code) => {
  const [, , , row] = linesOf(cluster(aWorker('w1', { colour, spilledBytes: MIB })), true);

  expect(row).toContain(`${code}██████▓▓▓▓▒▒`);
  expect(row).toContain('\u001b[90m ░');
});

test('a disk that takes nothing is said below', () => {
  const lines = linesOf(cluster(aWorker('w1', { spillRefusedBecause: 'disk-full' })));

  expect(lines.at(-1)).toBe('The disk of w1 takes no values: disk-full.');
});
