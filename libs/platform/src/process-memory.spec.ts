import { processMemory } from './process-memory.js';

test('the memory of a living process is what Node says it is, roughly', async () => {
  const measured = (await processMemory.read(process.pid)) ?? 0;
  const ownView = process.memoryUsage.rss();
  expect(Math.abs(measured - ownView) / ownView).toBeLessThan(0.2);
});

test('a process that is gone has no memory', async () => {
  expect(await processMemory.read(2 ** 22 + 1)).toBeUndefined();
});
