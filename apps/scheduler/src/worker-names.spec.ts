import { InvalidArgumentError } from '@spillway/kernel';
import { SchedulerQueries } from '@spillway/protocol';
import { startScheduler } from './start-scheduler.js';
import { openWorker } from './testing.spec-d.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

test('of two workers of one name the older is told to close, and cannot register again', async () => {
  const scheduler = await startScheduler({ port: 0, httpPort: false, logLevel: 'silent' });
  closing.push(() => scheduler.close('test over'));
  const older = await openWorker(scheduler.address, 'twin', closing, 'older');

  await openWorker(scheduler.address, 'twin', closing, 'newer');

  expect(await older.ear.until('ended ')).toContain('close-worker');
  const again = openWorker(scheduler.address, 'twin', closing, 'older');
  await expect(again).rejects.toBeInstanceOf(InvalidArgumentError);
  const queries = new SchedulerQueries({ address: scheduler.address, timeoutMs: 20_000 });
  closing.push(() => queries.close());
  expect(await queries.listWorkers()).toMatchObject([{ workerId: 'newer' }]);
});
