import { freePort, TcpProxy } from '@spillway/testkit';
import { loadWork, startCluster } from './clusters.js';
import { admitOwn } from './testing/own-connections.js';

/** Workers that a client cannot reach: large values take the way through the scheduler, both ways. */
describe.each(['refused', 'ignored'] as const)('with connections to the worker that are %s', (own) => {
  test('results and scattered values arrive through the relay, unharmed', async () => {
    const port = await freePort();
    await using proxy = await TcpProxy.to(`127.0.0.1:${port}`, { admit: admitOwn(own) });
    await using cluster = await startCluster({
      workers: 1,
      settings: { 'worker.port': port, 'worker.contact-address': proxy.address },
    });
    await using client = await cluster.connect({ relayAfter: '300ms' });
    const work = await loadWork(client);

    const small = client.submit(work.inc, 1);
    expect(await small.result({ timeout: '10s' })).toBe(2);
    expect(proxy.blockedCount).toBe(0);

    const values = new Float64Array(3_750_000).map((_, index) => Math.sqrt(index));
    const scattered = await client.scatter(values, { timeout: '20s' });
    expect(proxy.blockedCount).toBeGreaterThan(0);
    expect(
      Object.is(await client.submit(work.total, scattered).result({ timeout: '20s' }), sumOf(values)),
    ).toBe(true);
    const back = await scattered.result({ timeout: '20s' });
    expect(Buffer.compare(bytesOf(back), bytesOf(values))).toBe(0);

    const many = client.map(work.ones, [1000, 2000, 3000]);
    expect((await client.gather(many, { timeout: '20s' })).map(({ length }) => length)).toEqual([
      1000, 2000, 3000,
    ]);
    // An argument that is too large for the graph is put on the worker as well.
    const text = 'large '.repeat(100_000);
    expect(await client.submit((value: string) => value.length, text).result({ timeout: '20s' })).toBe(
      600_000,
    );
    // What cannot be reached is asked through the relay at once the next time.
    const { blockedCount } = proxy;
    await client.submit(work.ones, 4000).result({ timeout: '20s' });
    expect(proxy.blockedCount).toBe(blockedCount);
    expect(proxy.acceptedCount).toBeGreaterThan(0);
  }, 60_000);
});

test('a worker that the scheduler cannot reach either is an error that says so, not a wait without end', async () => {
  await using cluster = await startCluster({
    workers: 1,
    settings: { 'worker.contact-address': '127.0.0.1:1' },
  });
  await using client = await cluster.connect({ relayAfter: '100ms' });
  const work = await loadWork(client);
  expect(await client.submit(work.inc, 1).result()).toBe(2);
  const future = client.submit(work.ones, 1000);
  await client.wait([future]);
  await expect(future.result({ timeout: '50s' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(client.scatter(new Float64Array(1000), { timeout: '30s' })).rejects.toMatchObject({
    code: expect.stringMatching(/UNAVAILABLE|CLUSTER_UNREACHABLE/) as string,
  });
}, 90_000);

const sumOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
const bytesOf = (values: Float64Array): Buffer =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength);
