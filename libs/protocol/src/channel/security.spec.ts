import { ClusterUnreachableError } from '@spillway/kernel';
import { SchedulerQueries } from '../queries/scheduler-queries.js';
import { clientHello, clock, Recorder, TestScheduler, timers } from '../server/fixtures.spec-d.js';
import { openClientLink } from '../link/open-link.js';
import type { SchedulerServer } from '../server/scheduler-server.js';
import type { ChannelSecurity } from './security.js';
import { TEST_CA, TEST_CLIENT, TEST_SERVER } from './test-certificates.spec-d.js';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(): Promise<SchedulerServer> {
  const scheduler = new TestScheduler({ listWorkers: () => [] });
  const server = await scheduler.serve({ security: { ca: TEST_CA, ...TEST_SERVER } });
  closing.push(() => server.close());
  return server;
}

function askAs(server: SchedulerServer, security: ChannelSecurity | undefined): Promise<unknown> {
  const queries = new SchedulerQueries({
    address: server.address.replace('127.0.0.1', 'localhost'),
    timeoutMs: 10_000,
    ...(security === undefined ? {} : { security }),
  });
  closing.push(() => queries.close());
  return queries.listWorkers();
}

describe('a server with an authority of its own', () => {
  test('serves whoever shows a certificate of that authority', async () => {
    const server = await serve();
    const security = { ca: TEST_CA, ...TEST_CLIENT };
    const link = await openClientLink({
      address: server.address.replace('127.0.0.1', 'localhost'),
      hello: () => clientHello('client-1'),
      listener: new Recorder(),
      clock,
      timers,
      connectTimeoutMs: 10_000,
      resumeGraceMs: 1000,
      security,
    });
    closing.push(() => link.close('test over'));

    expect(await askAs(server, security)).toEqual([]);
    expect(server.sessionCounts.clients).toBe(1);
  });

  test('refuses a client without a certificate, and one without TLS', async () => {
    const server = await serve();

    await expect(askAs(server, { ca: TEST_CA })).rejects.toBeInstanceOf(ClusterUnreachableError);
    await expect(askAs(server, undefined)).rejects.toBeInstanceOf(ClusterUnreachableError);
  });

  test('is refused by a client that does not trust its authority', async () => {
    const server = await serve();

    await expect(askAs(server, { ...TEST_CLIENT })).rejects.toBeInstanceOf(ClusterUnreachableError);
  });
});
