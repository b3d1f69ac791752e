import {
  asStimulusId,
  asTaskKey,
  ClusterUnreachableError,
  InvalidArgumentError,
  SessionExpiredError,
  VersionMismatchError,
} from '@spillway/kernel';
import type { ClientToScheduler, SchedulerToClient, SchedulerToWorker } from '@spillway/messages';
import type { Link } from '@spillway/ports';
import {
  clientHello,
  clock,
  CuttableProxy,
  Recorder,
  TestScheduler,
  timers,
  workerHello,
} from '../server/fixtures.spec-d.js';
import type { SchedulerServer } from '../server/scheduler-server.js';
import { openClientLink, openWorkerLink, type LinkOptions } from './open-link.js';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(
  scheduler: TestScheduler,
  options: Parameters<TestScheduler['serve']>[0] = {},
): Promise<SchedulerServer> {
  const server = await scheduler.serve(options);
  closing.push(() => server.close());
  return server;
}

async function proxyTo(server: SchedulerServer): Promise<CuttableProxy> {
  const proxy = await CuttableProxy.to(server.address);
  closing.push(() => proxy.close());
  return proxy;
}

async function openClient(
  address: string,
  recorder: Recorder<SchedulerToClient>,
  options: Partial<LinkOptions<ReturnType<typeof clientHello>, SchedulerToClient>> = {},
): Promise<Link<ClientToScheduler>> {
  const link = await openClientLink({
    address,
    hello: () => clientHello('client-1'),
    listener: recorder,
    clock,
    timers,
    connectTimeoutMs: 5000,
    resumeGraceMs: 5000,
    ...options,
  });
  closing.push(() => link.close('test over'));
  return link;
}

const desire = (index: number): ClientToScheduler => ({
  type: 'client-desires-keys',
  keys: [asTaskKey(`key-${index}`)],
});
const lost = (index: number): SchedulerToClient => ({ type: 'key-lost', key: asTaskKey(`key-${index}`) });

describe('links between programs and the scheduler', () => {
  test('messages of one turn arrive together, in order, both ways', async () => {
    const scheduler = new TestScheduler();
    const server = await serve(scheduler);
    const recorder = new Recorder<SchedulerToClient>();
    const link = await openClient(server.address, recorder);
    const [session] = scheduler.clients;

    for (let i = 0; i < 1000; i++) link.send(desire(i));
    await session?.recorder.until((r) => r.messages.length === 1000);
    for (let i = 0; i < 1000; i++) session?.link.send(lost(i));
    await recorder.until((r) => r.messages.length === 1000);

    expect(session?.recorder.messages).toEqual(Array.from({ length: 1000 }, (_, i) => desire(i)));
    expect(recorder.messages).toEqual(Array.from({ length: 1000 }, (_, i) => lost(i)));
  });

  test('what is not acknowledged is counted, and no longer when it is', async () => {
    const scheduler = new TestScheduler();
    const server = await serve(scheduler);
    const link = await openClient(server.address, new Recorder<SchedulerToClient>());
    expect(link.backlogBytes).toBe(0);

    for (let i = 0; i < 1000; i++) link.send(desire(i));
    await new Promise((resolve) => setImmediate(resolve));
    expect(link.backlogBytes).toBeGreaterThan(1000 * 'key-0'.length);
    while (link.backlogBytes !== 0) await new Promise((resolve) => setImmediate(resolve));
    expect(scheduler.clients[0]?.recorder.messages).toHaveLength(1000);
  });

  test('what the scheduler says while it accepts a session arrives after the link was given out', async () => {
    const scheduler = new TestScheduler({
      openClient: (_hello, link) => {
        link.send(lost(1));
        return new Recorder();
      },
    });
    const server = await serve(scheduler);
    const recorder = new Recorder<SchedulerToClient>();

    await openClient(server.address, recorder);

    expect(recorder.messages).toEqual([]);
    await recorder.until((r) => r.messages.length === 1);
  });

  test('with the connection cut again and again, every message arrives once and in order, both ways', async () => {
    const scheduler = new TestScheduler();
    const server = await serve(scheduler);
    const proxy = await proxyTo(server);
    const recorder = new Recorder<SchedulerToClient>();
    const link = await openClient(proxy.address, recorder);
    const [session] = scheduler.clients;

    const total = 3000;
    let sent = 0;
    await new Promise<void>((resolve) => {
      const step = (): void => {
        for (let i = 0; i < 10; i++, sent++) {
          link.send(desire(sent));
          session?.link.send(lost(sent));
        }
        if (sent % 500 === 0) proxy.cut();
        if (sent < total) setImmediate(step);
        else resolve();
      };
      step();
    });
    await session?.recorder.until((r) => r.messages.length >= total);
    await recorder.until((r) => r.messages.length >= total);

    expect(session?.recorder.messages).toEqual(Array.from({ length: total }, (_, i) => desire(i)));
    expect(recorder.messages).toEqual(Array.from({ length: total }, (_, i) => lost(i)));
    expect(proxy.connectionCount).toBeGreaterThan(1);
    expect(recorder.breaks.length).toBe(recorder.resumedCount);
    expect(scheduler.clients).toHaveLength(1);
  });

  test('a session that is closed ends on both sides without an error, behind what was sent', async () => {
    const scheduler = new TestScheduler();
    const server = await serve(scheduler);
    const recorder = new Recorder<SchedulerToClient>();
    const link = await openClient(server.address, recorder);
    const [session] = scheduler.clients;

    link.send({ type: 'client-closing' });
    link.close('done');
    await session?.recorder.until((r) => r.ended !== undefined);
    await recorder.until((r) => r.ended !== undefined);

    expect(session?.recorder.messages).toEqual([{ type: 'client-closing' }]);
    expect(session?.recorder.ended).toEqual({ error: undefined });
    expect(recorder.ended).toEqual({ error: undefined });
    expect(server.sessionCounts.clients).toBe(0);
  });

  test('the scheduler ends sessions in order when it closes', async () => {
    const scheduler = new TestScheduler();
    const server = await scheduler.serve();
    const recorder = new Recorder<SchedulerToClient>();
    await openClient(server.address, recorder);

    scheduler.clients[0]?.link.send(lost(7));
    await server.close();
    await recorder.until((r) => r.ended !== undefined);

    expect(recorder.messages).toEqual([lost(7)]);
    expect(recorder.ended).toEqual({ error: undefined });
  });

  test('another major protocol version is refused as VERSION_MISMATCH', async () => {
    const scheduler = new TestScheduler();
    const server = await serve(scheduler);

    const opening = openClient(server.address, new Recorder(), { hello: () => clientHello('client-1', 2) });

    await expect(opening).rejects.toBeInstanceOf(VersionMismatchError);
    expect(scheduler.clients).toHaveLength(0);
  });

  test('a refusal by the scheduler reaches the opener with its code and details', async () => {
    const server = await serve(
      new TestScheduler({
        openClient: () => {
          throw new InvalidArgumentError('The name is taken.', { details: { name: 'alice' } });
        },
      }),
    );

    const opening = openClient(server.address, new Recorder());

    await expect(opening).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'The name is taken.',
      details: { name: 'alice' },
    });
  });

  test('nobody at the address: ClusterUnreachableError after the connect timeout', async () => {
    const opening = openClient('127.0.0.1:1', new Recorder(), { connectTimeoutMs: 200 });

    await expect(opening).rejects.toBeInstanceOf(ClusterUnreachableError);
  });

  test('aborting while connecting rejects with the reason of the signal', async () => {
    const controller = new AbortController();
    const opening = openClient('127.0.0.1:1', new Recorder(), { signal: controller.signal });
    const reason = new Error('not wanted any more');

    controller.abort(reason);

    await expect(opening).rejects.toBe(reason);
  });

  test('a scheduler that was restarted does not know the session: SessionExpiredError', async () => {
    const first = await new TestScheduler().serve();
    const proxy = await proxyTo(first);
    const recorder = new Recorder<SchedulerToClient>();
    await openClient(proxy.address, recorder);
    const second = new TestScheduler();

    proxy.cut();
    await recorder.until((r) => r.breaks.length === 1);
    const port = first.address.slice(first.address.lastIndexOf(':'));
    // The old one is gone without a good-bye: its listener is closed while no connection is there.
    await first.close();
    await serve(second, { address: `127.0.0.1${port}` });
    await recorder.until((r) => r.ended !== undefined);

    expect(recorder.ended?.error).toBeInstanceOf(SessionExpiredError);
    expect(second.clients).toHaveLength(0);
  });

  test('a connection that cannot be made again ends the session after the grace period, on both sides', async () => {
    const scheduler = new TestScheduler();
    const server = await serve(scheduler, {
      resumeGraceMs: { clients: 200, workers: 10_000, nannies: 10_000 },
    });
    const proxy = await CuttableProxy.to(server.address);
    const recorder = new Recorder<SchedulerToClient>();
    await openClient(proxy.address, recorder, { resumeGraceMs: 200 });

    await proxy.close();
    await recorder.until((r) => r.ended !== undefined);
    await scheduler.clients[0]?.recorder.until((r) => r.ended !== undefined);

    expect(recorder.ended?.error).toBeInstanceOf(ClusterUnreachableError);
    expect(scheduler.clients[0]?.recorder.ended?.error).toBeInstanceOf(SessionExpiredError);
  });

  test('a client is waited for as long as clients are, whatever holds for workers', async () => {
    const scheduler = new TestScheduler();
    const server = await serve(scheduler, { resumeGraceMs: { clients: 10_000, workers: 50, nannies: 50 } });
    const proxy = await proxyTo(server);
    const client = new Recorder<SchedulerToClient>();
    await openClient(proxy.address, client);
    const worker = new Recorder<SchedulerToWorker>();
    await openWorkerLink({
      address: proxy.address,
      hello: () => workerHello('worker-1'),
      listener: worker,
      clock,
      timers,
      connectTimeoutMs: 5000,
      resumeGraceMs: 10_000,
    });

    proxy.isDown = true;
    proxy.cut();
    await scheduler.workers[0]?.recorder.until((r) => r.ended !== undefined);
    proxy.isDown = false;
    await client.until((r) => r.resumedCount === 1);
    await worker.until((r) => r.ended !== undefined);

    expect(worker.ended?.error).toBeInstanceOf(SessionExpiredError);
    expect(scheduler.clients[0]?.recorder.ended).toBeUndefined();
  });

  test('a second program with the same id takes the session over; the first hears that it expired', async () => {
    const scheduler = new TestScheduler();
    const server = await serve(scheduler);
    const first = new Recorder<SchedulerToClient>();
    await openClient(server.address, first);

    const second = new Recorder<SchedulerToClient>();
    await openClient(server.address, second);
    await first.until((r) => r.ended !== undefined);

    expect(first.ended?.error).toBeInstanceOf(SessionExpiredError);
    expect(scheduler.clients[0]?.recorder.ended?.error).toBeInstanceOf(SessionExpiredError);
    expect(scheduler.clients[1]?.recorder.ended).toBeUndefined();
    expect(server.sessionCounts.clients).toBe(1);
  });

  test('a quiet session stays: both sides give signs of life', async () => {
    const scheduler = new TestScheduler();
    const server = await serve(scheduler, { heartbeatMs: 20 });
    const proxy = await proxyTo(server);
    const recorder = new Recorder<SchedulerToClient>();
    const link = await openClient(proxy.address, recorder);
    const connectionCount = proxy.connectionCount;

    // Far more than the three after which silence would count as loss, both ways.
    await proxy.untilPassed(50);
    link.send(desire(1));
    await scheduler.clients[0]?.recorder.until((r) => r.messages.length === 1);

    expect(recorder.breaks).toEqual([]);
    expect(scheduler.clients[0]?.recorder.breaks).toEqual([]);
    expect(proxy.connectionCount).toBe(connectionCount);
  });

  test('a worker gets tasks whose holders are named once a batch', async () => {
    const scheduler = new TestScheduler();
    const server = await serve(scheduler);
    const recorder = new Recorder<SchedulerToWorker>();
    const link = await openWorkerLink({
      address: server.address,
      hello: () => workerHello('worker-1'),
      listener: recorder,
      clock,
      timers,
      connectTimeoutMs: 5000,
      resumeGraceMs: 5000,
    });
    closing.push(() => link.close('test over'));
    const holder = { workerId: workerHello('worker-2').workerId, address: '10.0.0.2:4000' };
    const message = (index: number): SchedulerToWorker => ({
      type: 'refresh-who-has',
      stimulusId: asStimulusId(`s-${index}`),
      dependencies: [{ key: asTaskKey(`key-${index}`), nbytes: index, whoHas: [holder] }],
    });

    for (let i = 0; i < 100; i++) scheduler.workers[0]?.link.send(message(i));
    await recorder.until((r) => r.messages.length === 100);

    expect(recorder.messages).toEqual(Array.from({ length: 100 }, (_, i) => message(i)));
  });

  test('a message that no batch can hold ends the session as LIMIT_EXCEEDED', async () => {
    const scheduler = new TestScheduler();
    const server = await serve(scheduler);
    const recorder = new Recorder<SchedulerToClient>();
    const link = await openClient(server.address, recorder);
    const keys = Array.from({ length: 20_000 }, (_, i) => asTaskKey(String(i).padStart(1000, 'k')));

    link.send({ type: 'client-desires-keys', keys });
    await recorder.until((r) => r.ended !== undefined);

    expect(recorder.ended?.error?.code).toBe('LIMIT_EXCEEDED');
  });
});
