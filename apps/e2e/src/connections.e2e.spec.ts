import { readFile } from 'node:fs/promises';
import { connect, repeat, type Client } from '@spillway/client';
import { TcpProxy, TempFolder } from '@spillway/testkit';
import { loadWork, startCluster } from './clusters.js';
import { bundleProgram } from './testing/bundled-program.js';
import { FakeWorker } from './testing/fake-worker.js';
import { isAlive, Program, SPILLWAY, until } from './testing/processes.js';

/** Connections that break, for a moment or for good: nothing is lost, nothing runs twice, nothing hangs. */
const linesOf = async (path: string): Promise<string[]> =>
  (await readFile(path, 'utf8')).trim().split('\n').sort();
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `n${index}`).sort();

describe('between a client and the scheduler', () => {
  test('cuts while a graph runs lose no result, and no task runs twice', async () => {
    await using folder = await TempFolder.create();
    await using cluster = await startCluster();
    await using proxy = await TcpProxy.to(cluster.address);
    await using client = await connect(proxy.address);
    const work = await loadWork(client);
    const path = folder.join('runs');
    const notes = client.map(work.note, repeat(path), names(300));
    let doneCount = 0;
    for await (const _ of client.asCompleted(notes)) if (++doneCount % 60 === 0) proxy.cut();
    expect((await client.gather(notes)).sort()).toEqual(names(300));
    const sum = client.submit((parts: readonly string[]) => parts.length, notes);
    proxy.cut();
    expect(await sum.result()).toBe(300);
    expect(await linesOf(path)).toEqual(names(300));
    expect(proxy.acceptedCount).toBeGreaterThan(2);
  }, 60_000);

  test('a client that is back within its lease finds everything, though workers would not have been waited for', async () => {
    await using cluster = await startCluster({ settings: { 'scheduler.worker-reconnect-grace': '200ms' } });
    await using proxy = await TcpProxy.to(cluster.address);
    await using client = await connect(proxy.address, { resumeGrace: '30s' });
    await using watcher = await cluster.connect();
    const work = await loadWork(client);
    const before = client.submit(work.inc, 1);
    await client.wait([before]);
    const fake = await FakeWorker.register(proxy.address, '127.0.0.1:1');
    const isThere = async (): Promise<boolean> =>
      (await watcher.workers()).some(({ name }) => name === fake.name);
    expect(await isThere()).toBe(true);
    // Cut off at the same moment: when the scheduler has given it up, it would have given up the client as well.
    proxy.stop();
    const during = client.submit(work.inc, before);
    await until(async () => !(await isThere()));
    proxy.resume();
    expect(await during.result({ timeout: '20s' })).toBe(3);
    expect(await client.submit(work.inc, before).result({ timeout: '10s' })).toBe(3);
    fake[Symbol.dispose]();
  }, 60_000);

  test('when it stays away, everything that waits rejects with CLUSTER_UNREACHABLE', async () => {
    await using cluster = await startCluster({ nthreads: 2 });
    await using proxy = await TcpProxy.to(cluster.address);
    await using client = await connect(proxy.address, { resumeGrace: '300ms', callTimeout: '5s' });
    const work = await loadWork(client);
    const futures = [
      client.submit(work.waitForAbort),
      client.submit(work.waitForAbort),
      client.submit(work.inc, 1),
    ];
    await client.wait([futures[2]!]);
    proxy.stop();
    const waits: Record<string, Promise<unknown>> = {
      result: futures[0]!.result(),
      gather: client.gather(futures),
      dependent: client.submit(work.kind, futures[1]).result(),
      run: client.run(work.pid),
      whoHas: client.whoHas(),
      scatter: client.scatter(new Float64Array(10)),
      load: client.load(new URL('./fixtures/demo.mjs', import.meta.url)),
    };
    for (const [what, wait] of Object.entries(waits)) {
      const code = await wait.then(
        () => 'none',
        (error: unknown) => (error as { code?: string }).code,
      );
      expect({ what, code }).toEqual({ what, code: 'CLUSTER_UNREACHABLE' });
    }
    expect((await client.wait(futures)).notDone).toEqual([]);
    await expect(client.submit(work.inc, 1).result()).rejects.toMatchObject({ code: 'CLUSTER_UNREACHABLE' });
  }, 60_000);

  test('a scheduler that is not there is told within the timeout', async () => {
    await expect(connect('127.0.0.1:1', { timeout: '300ms' })).rejects.toMatchObject({
      code: 'CLUSTER_UNREACHABLE',
    });
  });
});

describe('between a worker and the scheduler', () => {
  const nannyOn = (address: string): Program =>
    new Program([SPILLWAY, 'nanny', address, '--name', 'far', '--workers', '1'], {
      SPILLWAY_LOG__LEVEL: 'warn',
    });
  const pidOf = async (client: Client, work: Awaited<ReturnType<typeof loadWork>>): Promise<number[]> => [
    ...(await client.run(work.pid, [], { workers: ['far-0'] })).values(),
  ];

  test('cuts within the grace cost nothing: no task runs twice, the worker and its values stay', async () => {
    await using folder = await TempFolder.create();
    await using cluster = await startCluster({ workers: 1 });
    await using proxy = await TcpProxy.to(cluster.address);
    await using client = await cluster.connect();
    const work = await loadWork(client);
    await using _nanny = nannyOn(proxy.address);
    await until(async () => (await client.workers()).length === 2);
    const pids = await pidOf(client, work);
    const path = folder.join('runs');
    const far = client.with({ workers: ['far-0'] });
    const held = far.submit(work.ones, 1000);
    await client.wait([held]);
    const notes = far.map(work.note, repeat(path), names(300));
    let doneCount = 0;
    for await (const _ of client.asCompleted(notes)) if (++doneCount % 60 === 0) proxy.cut();
    expect((await client.gather(notes)).sort()).toEqual(names(300));
    expect(await linesOf(path)).toEqual(names(300));
    expect(await far.submit(work.total, held).result()).toBe(1000);
    expect(await pidOf(client, work)).toEqual(pids);
  }, 60_000);

  test('beyond the grace what it had runs elsewhere, and nobody waits for ever', async () => {
    await using cluster = await startCluster({
      workers: 1,
      settings: { 'scheduler.worker-reconnect-grace': '300ms' },
    });
    await using proxy = await TcpProxy.to(cluster.address);
    await using client = await cluster.connect();
    const work = await loadWork(client);
    await using nanny = nannyOn(proxy.address);
    await until(async () => (await client.workers()).length === 2);
    const preferred = client.with({ workers: ['far-0'], allowOtherWorkers: true });
    const ones = preferred.submit(work.ones, 1000);
    await client.wait([ones]);
    proxy.stop();
    await until(async () => (await client.workers()).length === 1);
    expect(await client.submit(work.total, ones).result({ timeout: '20s' })).toBe(1000);
    proxy.resume();
    await until(async () => (await client.workers()).length === 2);
    expect(
      await client
        .with({ workers: ['far-0'] })
        .submit(work.inc, 1)
        .result({ timeout: '20s' }),
    ).toBe(2);
    expect(nanny.log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  }, 60_000);
});

describe('a scheduler that is killed', () => {
  test('ends what clients wait for with a typed error, and workers and nannies end by themselves', async () => {
    await using cluster = await startCluster({ settings: { 'worker.scheduler-wait': '500ms' } });
    await using client = await cluster.connect({ resumeGrace: '500ms' });
    const work = await loadWork(client);
    const workerPids = [...(await client.run(work.pid)).values()];
    const pending = client.submit(work.waitForAbort);
    const spinning = client.submit(work.spin);
    await client
      .submit(work.inc, 1)
      .exception({ timeout: '100ms' })
      .catch(() => undefined);
    const [schedulerPid, ...nannyPids] = cluster.pids as number[];
    process.kill(schedulerPid!, 'SIGKILL');
    await expect(pending.result()).rejects.toMatchObject({ code: 'CLUSTER_UNREACHABLE' });
    await expect(spinning.result()).rejects.toMatchObject({ code: 'CLUSTER_UNREACHABLE' });
    await until(() => ![...workerPids, ...nannyPids].some(isAlive));
  }, 60_000);
});

describe('a client that is killed', () => {
  test('leaves nothing in the cluster once its lease is over', async () => {
    await using folder = await TempFolder.create();
    await using cluster = await startCluster({ settings: { 'scheduler.client-lease': '300ms' } });
    await using watcher = await cluster.connect();
    const work = await loadWork(watcher);
    const mine = watcher.submit(work.ones, 10);
    await watcher.wait([mine]);
    const held = async (): Promise<string[]> =>
      [...(await watcher.hasWhat()).values()].flat().map(({ key }) => String(key));
    await using doomed = new Program([
      await bundleProgram(DOOMED_CLIENT, folder.join('doomed.mjs')),
      cluster.address,
    ]);
    const { keys } = (await doomed.line(({ event }) => event === 'holding')) as unknown as { keys: string[] };
    expect(keys).toHaveLength(2);
    expect(await held()).toEqual(expect.arrayContaining([...keys, mine.key]));
    doomed.kill('SIGKILL');
    await until(async () => (await held()).length === 1);
    expect(await held()).toEqual([mine.key]);
    // Its endless task is stopped too: both slots are free.
    expect(await watcher.gather(watcher.map(work.inc, [1, 2, 3, 4]))).toEqual([2, 3, 4, 5]);
  }, 60_000);
});

/** Holds a scattered value, a computed one and a task without end. */
const DOOMED_CLIENT = `
  import { connect } from '@spillway/client';
  const client = await connect(process.argv[2]);
  const scattered = await client.scatter(new Float64Array(100));
  const computed = client.submit((n) => new Float64Array(n), 100);
  await client.wait([computed]);
  const endless = client.submit(() => { for (;;); });
  console.log(JSON.stringify({ event: 'holding', keys: [scattered.key, computed.key] }));
  await endless.result();`;
