import { loadConfig, optionsSource } from '@spillway/config';
import { workerLimitOf } from './worker-memory.js';

const MiB = 2 ** 20;
const container = { totalBytes: 768 * MiB, cores: 8 };
const physicalBytes = 64 * 1024 * MiB;

const settings = (limit: string, workers = 2) =>
  loadConfig([optionsSource({ nanny: { workers }, worker: { memory: { limit } } })]);

test('the workers of a container share what the nanny and its health check leave, whatever cores there are', () => {
  expect(workerLimitOf(settings('auto'), container, physicalBytes)).toBe(((768 - 128) / 2) * MiB);
  expect(workerLimitOf(settings('auto', 4), container, physicalBytes)).toBe(((768 - 128) / 4) * MiB);
});

test('a very small container still leaves its workers half', () => {
  const small = { totalBytes: 128 * MiB, cores: 2 };
  expect(workerLimitOf(settings('auto', 1), small, physicalBytes)).toBe(64 * MiB);
});

test('on a whole machine each worker has the share of its threads', () => {
  const machine = { totalBytes: physicalBytes, cores: 8 };
  expect(workerLimitOf(settings('auto'), machine, physicalBytes)).toBe(physicalBytes / 8);
});

test('what was written is taken as it stands', () => {
  expect(workerLimitOf(settings('300MiB'), container, physicalBytes)).toBe(300 * MiB);
  expect(workerLimitOf(settings('0.25'), container, physicalBytes)).toBe(192 * MiB);
  expect(workerLimitOf(settings('none'), container, physicalBytes)).toBe(false);
});
