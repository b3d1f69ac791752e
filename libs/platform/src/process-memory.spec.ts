import { ownMemory, processMemory } from './process-memory.js';

const MiB = 2 ** 20;

test('the memory of a living process is what Node says it is, roughly', async () => {
  const measured = (await processMemory.read(process.pid)) ?? 0;
  const ownView = process.memoryUsage.rss();
  expect(Math.abs(measured - ownView) / ownView).toBeLessThan(0.2);
});

test('a process that is gone has no memory', async () => {
  expect(await processMemory.read(2 ** 22 + 1)).toBeUndefined();
});

test('the peak of this process is never below what it has, and stays', () => {
  const block = Buffer.alloc(64 * MiB, 1);
  const { processBytes, processPeakBytes } = ownMemory.read();
  expect(processBytes).toBeGreaterThan(block.length);
  expect(processPeakBytes).toBeGreaterThanOrEqual(processBytes);
  expect(ownMemory.read().processPeakBytes).toBeGreaterThanOrEqual(processPeakBytes);
});

test('what a heap has committed and does not use is less than the process has', () => {
  const { processBytes, heapUnusedBytes } = ownMemory.read();
  expect(heapUnusedBytes).toBeGreaterThan(0);
  expect(heapUnusedBytes).toBeLessThan(processBytes);
});
