import {
  FutureCancelledError,
  type Client,
  type LocalCluster,
  TaskFailedError,
  ValueNotEncodableError,
} from '@spillway/client';
import { loadWork, startCluster } from './clusters.js';

/** What a user can do with tasks, on a real cluster. */
let cluster: LocalCluster;
let client: Client;
let work: Awaited<ReturnType<typeof loadWork>>;
beforeAll(async () => {
  cluster = await startCluster();
  client = await cluster.connect();
  work = await loadWork(client);
}, 60_000);
afterAll(async () => {
  await client.close();
  await cluster.close();
});

test('a task runs on a worker and its result comes back', async () => {
  expect(await client.submit(work.inc, 41).result()).toBe(42);
  expect(await client.submit(work.pid).result()).not.toBe(process.pid);
});

test('futures go into further tasks, anywhere inside the arguments', async () => {
  const numbers = client.map(work.inc, [0, 1, 2, 3]);
  const total = client.submit(work.sum, numbers);
  const both = client.submit(work.add, total, client.submit(work.inc, 9));
  expect(await both.result()).toBe(20);
});

test('an inline function travels by itself', async () => {
  const future = client.submit((a: number, b: number) => a * b, 6, 7);
  expect(await future.result()).toBe(42);
});

test('a large array moves between tasks and to the client unharmed', async () => {
  const ones = client.submit(work.ones, 2_000_000);
  const total = client.submit(work.total, ones);
  expect(await total.result()).toBe(2_000_000);
  const values = await ones.result();
  expect(values).toBeInstanceOf(Float64Array);
  expect(values.length).toBe(2_000_000);
});

test('what a task throws arrives with its class name, its code, its own stack and the worker', async () => {
  const error = await client.submit(work.refuse, 7).exception();
  expect(error).toBeInstanceOf(TaskFailedError);
  expect(error?.message).toContain('price 7 is too high');
  expect(error?.stack).toContain('work.tasks.ts');
  expect(error?.cause).toMatchObject({ name: 'PriceError', message: 'price 7 is too high', code: 'E_PRICE' });
});

test('a failing dependency fails what depends on it, with the first error as its cause', async () => {
  const failed = client.submit(work.refuse, 1);
  const error = await client.submit(work.inc, failed).exception();
  expect(error?.code).toBe('DEPENDENCY_FAILED');
  expect(error?.cause).toMatchObject({ code: 'TASK_FAILED' });
});

test('retries run a failing function again; retry() does so later', async () => {
  expect(await client.with({ retries: 2 }).submit(work.failTimes, 2).result()).toBe(3);
  const late = client.submit(work.failTimes, 1);
  expect((await late.exception())?.code).toBe('TASK_FAILED');
  late.retry();
  expect(await late.result()).toBe(2);
});

test('cancel stops a synchronous loop and leaves the other slot alone', async () => {
  const spinning = client.submit(work.spin);
  const others = client.map(work.inc, [1, 2, 3]);
  expect(await client.gather(others)).toEqual([2, 3, 4]);
  spinning.cancel();
  await expect(spinning.result()).rejects.toBeInstanceOf(FutureCancelledError);
  // Both slots are free again: two tasks that need a slot each.
  expect(await client.gather(client.map(work.inc, [10, 20]))).toEqual([11, 21]);
});

test('a timeout stops a synchronous loop with TASK_TIMEOUT', async () => {
  const error = await client.with({ timeout: '300ms' }).submit(work.spin).exception();
  expect(error?.code).toBe('TASK_TIMEOUT');
});

test('process.exit in a task ends only its thread', async () => {
  const pids = await client.run(work.pid);
  expect((await client.submit(work.leave, 3).exception())?.code).toBe('TASK_EXITED');
  expect(await client.run(work.pid)).toEqual(pids);
});

test('a result that cannot be encoded names the field', async () => {
  const error = await client.submit(work.unencodable).exception();
  expect(error).toBeInstanceOf(ValueNotEncodableError);
  expect(error?.message).toContain('rows[1].onClick');
});

test('an argument of many megabytes is not refused', async () => {
  const values = new Float64Array(1_000_000).fill(2);
  expect(await client.submit(work.total, values).result()).toBe(2_000_000);
});

test('scattered data is used by tasks and comes back', async () => {
  const scattered = await client.scatter(new Float64Array([1, 2, 3]));
  expect(await client.submit(work.total, scattered).result()).toBe(6);
  expect(await scattered.result()).toEqual(new Float64Array([1, 2, 3]));
});

test('gather keeps the shape, as an iterator the order', async () => {
  const [a, b, c] = client.map(work.inc, [1, 2, 3]);
  expect(await client.gather({ a, rest: [b, c] })).toEqual({ a: 2, rest: [3, 4] });
  const seen: number[] = [];
  for await (const value of client.gather([a!, b!, c!], { as: 'iterator' })) seen.push(value);
  expect(seen).toEqual([2, 3, 4]);
});

test('whoHas, hasWhat and nbytes agree, and released results are gone everywhere', async () => {
  const future = client.submit(work.ones, 1000);
  await client.wait([future]);
  const holders = (await client.whoHas([future])).get(future.key)!;
  expect(holders).toHaveLength(1);
  expect((await client.nbytes([future])).get(future.key)).toBeGreaterThan(8000);
  const held = (await client.hasWhat()).get(holders[0]!.workerId)!;
  expect(held.map(({ key }) => key)).toContain(future.key);
  const { key } = future;
  future.release();
  // A later submission from the same client is answered after the release was handled.
  await client.submit(work.inc, 1).result();
  const keysLeft = [...(await client.hasWhat()).values()].flat().map((holding) => String(holding.key));
  expect(keysLeft).not.toContain(key);
});

test('asCompleted gives futures as they end', async () => {
  const slow = client.submit(work.waitForAbort);
  const quick = client.submit(work.inc, 1);
  for await (const future of client.asCompleted([slow, quick])) {
    expect(future).toBe(quick);
    break;
  }
  slow.cancel();
});

test('run reaches every worker, beside their tasks', async () => {
  const pids = await client.run(work.pid);
  expect(pids.size).toBe(2);
  expect(new Set(pids.values()).size).toBe(2);
});

test('a hundred thousand tasks in one call', async () => {
  const futures = client.map(
    (x: number) => x % 7,
    Array.from({ length: 100_000 }, (_, i) => i),
  );
  const results = await client.gather(futures);
  expect(results.length).toBe(100_000);
  expect(results.reduce((sum, value) => sum + value, 0)).toBe(299_995);
  client.release(futures);
}, 120_000);
