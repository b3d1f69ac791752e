import { resolveMemoryLimit, thisMachine } from './memory-limit.js';

const machine = { totalBytes: 16e9, cores: 8 };
const two = { nthreads: 2, workerCount: 1 };

test.each([
  ['off is no limit', { kind: 'off' }, two, false],
  ['bytes are bytes', { kind: 'bytes', bytes: 4e9 }, two, 4e9],
  ['more than there is is clamped', { kind: 'bytes', bytes: 1e15 }, two, 16e9],
  ['a fraction is of the whole', { kind: 'fraction', fraction: 0.5 }, two, 8e9],
  ['auto is total × nthreads ÷ cores', { kind: 'auto' }, two, 4e9],
  ['auto of more threads than cores is the whole', { kind: 'auto' }, { nthreads: 16, workerCount: 1 }, 16e9],
  ['auto never exceeds a fair share', { kind: 'auto' }, { nthreads: 8, workerCount: 4 }, 4e9],
] as const)('%s', (_name, written, worker, expected) => {
  expect(resolveMemoryLimit(written, worker, machine)).toBe(expected);
});

test('this machine has memory and cores', () => {
  const { totalBytes, cores } = thisMachine();
  expect(totalBytes).toBeGreaterThan(2 ** 27);
  expect(totalBytes).toBeLessThan(2 ** 50);
  expect(cores).toBeGreaterThan(0);
});
