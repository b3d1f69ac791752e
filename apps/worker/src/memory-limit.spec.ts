import { loadConfig, optionsSource } from '@spillway/config';
import { LiveLimit, readOwnLimit } from './memory-limit.js';

const machine = { totalBytes: 16_000, cores: 8, isCgroupLimited: false, decidedBy: 'the test' };
const limitOf = (limit: string | number, nthreads = 2): unknown =>
  readOwnLimit(loadConfig([optionsSource({ worker: { nthreads, memory: { limit } } })]), machine).limitBytes;

test('a worker without a nanny keeps nothing back for one', () => {
  expect(limitOf('auto')).toBe(4_000);
  expect(limitOf('auto', 8)).toBe(16_000);
  expect(limitOf('9000 B')).toBe(9_000);
  expect(limitOf('none')).toBe(false);
});

test('all who keep to the limit hear of a change, and nobody of none', () => {
  const limit = new LiveLimit(1000);
  const heard: number[] = [];
  limit.onChanged((bytes) => heard.push(bytes));
  limit.onChanged((bytes) => heard.push(-bytes));
  limit.change(1000);
  limit.change(800);
  expect(heard).toEqual([800, -800]);
  expect(limit.bytes).toBe(800);
});

test('what has no limit never gets one', () => {
  const limit = new LiveLimit(false);
  limit.onChanged(() => {
    throw new Error('told of a limit');
  });
  limit.change(800);
  expect(limit.bytes).toBe(false);
});
