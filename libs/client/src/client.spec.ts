import { asRunId, asTaskKey, asWorkerId, InvalidArgumentError, UnknownWorkerError } from '@spillway/kernel';
import { decodeValue, encodeValue } from '@spillway/values';
import type { Future } from './future.js';
import { preinstalled } from './remote-function.js';
import { aHolder } from './testing/fake-cluster.js';
import { aClient, turns, type ClientRig } from './testing/client-rig.js';

const make = preinstalled<(n: number) => number>('m', 'make');

async function withTasks(count: number): Promise<ClientRig & { futures: Future<number>[] }> {
  const rig = aClient();
  const futures = rig.client.map(
    make,
    Array.from({ length: count }, (_, index) => index),
  );
  await turns();
  return { ...rig, futures };
}

describe('gather', () => {
  test('keeps the shape the futures stand in', async () => {
    const { client, cluster, futures } = await withTasks(4);
    const [a, b, c, d] = futures as [Future<number>, Future<number>, Future<number>, Future<number>];
    futures.forEach(({ key }, index) => cluster.finishInline(key, index));
    const date = new Date(0);
    const gathered = await client.gather({
      list: [a, [b]],
      map: new Map([['c', c]]),
      set: new Set([d]),
      date,
      n: 1,
    });
    expect(gathered).toEqual({ list: [0, [1]], map: new Map([['c', 2]]), set: new Set([3]), date, n: 1 });
    expect(gathered.date).toBe(date);
    await expect(client.gather(a)).resolves.toBe(0);
    await expect(client.gather([a, a])).resolves.toEqual([0, 0]);
    await expect(client.gather([])).resolves.toEqual([]);
  });

  test('a shape that contains itself comes out as one that does', async () => {
    const { client, cluster, futures } = await withTasks(1);
    cluster.finishInline(futures[0]!.key, 5);
    const loop: Record<string, unknown> = { value: futures[0] };
    loop['self'] = loop;
    const gathered = (await client.gather(loop)) as typeof loop;
    expect(gathered['value']).toBe(5);
    expect(gathered['self']).toBe(gathered);
  });

  test('the first failure is the outcome', async () => {
    const { client, cluster, futures } = await withTasks(2);
    const gathered = client.gather(futures);
    const error = { code: 'TASK_FAILED', message: 'boom', details: {} };
    cluster.tell({ type: 'key-erred', key: asTaskKey(futures[1]!.key), error });
    await expect(gathered).rejects.toThrow('boom');
  });

  test('rejects when it is aborted', async () => {
    const { client, futures } = await withTasks(2);
    const abort = new AbortController();
    const gathered = client.gather(futures, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(gathered).rejects.toThrow('enough');
  });
});

describe('gather as an iterator', () => {
  const size = encodeValue('x'.repeat(1000)).data.byteLength;

  async function finished(count: number) {
    const rig = await withTasks(count);
    rig.futures.forEach(({ key }, index) => rig.cluster.finish(key, `${index}`.padEnd(1000, 'x')));
    return rig;
  }

  test('gives the values in order', async () => {
    const { client, futures } = await finished(5);
    const values: string[] = [];
    for await (const value of client.gather(futures, { as: 'iterator' }))
      values.push(String(value).slice(0, 1));
    expect(values).toEqual(['0', '1', '2', '3', '4']);
  });

  test('fetches no more ahead than the window holds', async () => {
    const { client, cluster, futures } = await finished(10);
    const iterator = client.gather(futures, { as: 'iterator', windowBytes: 3 * size });
    expect(cluster.fetches).toEqual([]);
    await iterator.next();
    const asked = (): number => cluster.fetches.flatMap(({ keys }) => keys).length;
    expect(asked()).toBe(3);
    await turns();
    expect(asked()).toBe(3);
    await iterator.next();
    await iterator.next();
    await iterator.next();
    expect(asked()).toBeLessThanOrEqual(6);
    await iterator.return?.();
  });

  test('fetches a value that is larger than the window alone', async () => {
    const { client, futures } = await finished(3);
    const values: unknown[] = [];
    for await (const value of client.gather(futures, { as: 'iterator', windowBytes: 1 })) values.push(value);
    expect(values).toHaveLength(3);
  });

  test('waits for the next in order, and starts those behind it as they finish', async () => {
    const { client, cluster, futures } = await withTasks(2);
    const iterator = client.gather(futures, { as: 'iterator' });
    const first = iterator.next();
    cluster.finish(futures[1]!.key, 'second');
    await turns();
    cluster.finish(futures[0]!.key, 'first');
    await expect(first).resolves.toEqual({ done: false, value: 'first' });
    await expect(iterator.next()).resolves.toEqual({ done: false, value: 'second' });
    await expect(iterator.next()).resolves.toEqual({ done: true, value: undefined });
  });

  test('throws a failure in its turn', async () => {
    const { client, cluster, futures } = await withTasks(2);
    cluster.finish(futures[0]!.key, 'first');
    const error = { code: 'TASK_FAILED', message: 'boom', details: {} };
    cluster.tell({ type: 'key-erred', key: asTaskKey(futures[1]!.key), error });
    const iterator = client.gather(futures, { as: 'iterator' });
    await expect(iterator.next()).resolves.toMatchObject({ value: 'first' });
    await expect(iterator.next()).rejects.toThrow('boom');
    await expect(iterator.next()).resolves.toMatchObject({ done: true });
  });

  test('breaking out ends what is under way', async () => {
    const { client, cluster, futures } = await withTasks(3);
    futures.forEach(({ key }, index) =>
      cluster.finish(key, `${index}`.padEnd(1000, 'x'), aHolder(`w${index}`)),
    );
    const underWay = new Map<string, AbortSignal>();
    const fetch = cluster.fetch.bind(cluster);
    cluster.fetch = (route, holder, keys, options?: { signal?: AbortSignal }) => {
      if (holder.workerId === 'w0') return fetch(route, holder, keys);
      underWay.set(holder.workerId, options!.signal!);
      return new Promise(() => undefined);
    };
    for await (const value of client.gather(futures, { as: 'iterator' })) {
      expect(value).toMatch(/^0/);
      await turns();
      break;
    }
    expect([...underWay].map(([worker, { aborted }]) => [worker, aborted])).toEqual([
      ['w1', true],
      ['w2', true],
    ]);
  });

  test('rejects when it is aborted', async () => {
    const { client, futures } = await withTasks(2);
    const abort = new AbortController();
    const next = client.gather(futures, { as: 'iterator', signal: abort.signal }).next();
    abort.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
  });
});

describe('wait', () => {
  test('for all resolves when each is done, however', async () => {
    const { client, cluster, futures } = await withTasks(3);
    const waiting = client.wait(futures);
    cluster.finishInline(futures[0]!.key, 1);
    futures[1]!.cancel();
    const error = { code: 'TASK_FAILED', message: 'boom', details: {} };
    cluster.tell({ type: 'key-erred', key: asTaskKey(futures[2]!.key), error });
    await expect(waiting).resolves.toEqual({ done: futures, notDone: [] });
  });

  test('for the first resolves with what is done and what is not', async () => {
    const { client, cluster, futures } = await withTasks(3);
    const waiting = client.wait(futures, { until: 'first' });
    cluster.finishInline(futures[1]!.key, 1);
    await expect(waiting).resolves.toEqual({ done: [futures[1]], notDone: [futures[0], futures[2]] });
    await expect(client.wait([], { until: 'first' })).resolves.toEqual({ done: [], notDone: [] });
  });

  test('is bounded', async () => {
    const { client, futures, timers } = await withTasks(1);
    const waiting = client.wait(futures, { timeout: '1s' });
    timers.advance(1000);
    await expect(waiting).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });
});

describe('asCompleted', () => {
  test('gives each future once, in the order in which they become done', async () => {
    const { client, cluster, futures } = await withTasks(3);
    const order: string[] = [];
    const reading = (async () => {
      for await (const future of client.asCompleted([...futures, futures[0]!])) order.push(future.key);
    })();
    cluster.finishInline(futures[2]!.key, 1);
    await turns();
    cluster.finishInline(futures[0]!.key, 1);
    futures[1]!.cancel();
    await reading;
    expect(order).toEqual([futures[2]!.key, futures[0]!.key, futures[1]!.key]);
  });

  test('gives what is done already, and nothing for nothing', async () => {
    const { client, cluster, futures } = await withTasks(1);
    cluster.finishInline(futures[0]!.key, 1);
    for await (const future of client.asCompleted(futures)) expect(future).toBe(futures[0]);
    for await (const future of client.asCompleted([])) expect(future).toBeUndefined();
  });

  test('leaving it early ends the listening', async () => {
    const { client, cluster, futures } = await withTasks(2);
    cluster.finishInline(futures[0]!.key, 1);
    const iterator = client.asCompleted(futures);
    for await (const future of iterator) {
      expect(future).toBe(futures[0]);
      break;
    }
    cluster.finishInline(futures[1]!.key, 1);
    await expect(iterator.next()).resolves.toEqual({ done: true, value: undefined });
  });

  test('a call of next that waits ends when the iterator is left', async () => {
    const { client, futures } = await withTasks(1);
    const iterator = client.asCompleted(futures);
    const next = iterator.next();
    await iterator.return?.();
    await expect(next).resolves.toEqual({ done: true, value: undefined });
  });

  test('rejects when it is aborted, before and while it waits', async () => {
    const { client, futures } = await withTasks(1);
    const abort = new AbortController();
    const next = client.asCompleted(futures, { signal: abort.signal }).next();
    abort.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
    await expect(client.asCompleted(futures, { signal: abort.signal }).next()).rejects.toThrow('enough');
  });
});

describe('scatter', () => {
  test('puts the value on a worker, tells the scheduler, and gives a finished future', async () => {
    const { client, cluster } = aClient();
    const future = await client.scatter([1, 2, 3]);
    expect(future.status).toBe('finished');
    expect(cluster.allSaid('data-scattered')).toEqual([
      {
        type: 'data-scattered',
        key: future.key,
        nbytes: cluster.valueOf(future.key)!.data.byteLength,
        holders: ['w1'],
      },
    ]);
    await expect(future.result()).resolves.toEqual([1, 2, 3]);
  });

  test('keeps two copies unless told otherwise, where there are two workers', async () => {
    const { client, cluster } = aClient();
    cluster.workers = [aHolder('w1'), aHolder('w2'), aHolder('w3')];
    await client.scatter('x');
    await client.scatter('y', { copies: 1 });
    expect(cluster.allSaid('data-scattered').map(({ holders }) => holders)).toEqual([['w1', 'w2'], ['w1']]);
  });

  test('in several copies names the workers that took one', async () => {
    const { client, cluster } = aClient();
    cluster.workers = [aHolder('w1'), aHolder('w2'), aHolder('w3')];
    cluster.onPut = (_route, { workerId }) =>
      workerId === 'w2' ? Promise.reject(new InvalidArgumentError('no room')) : Promise.resolve();
    await client.scatter('x', { copies: 3 });
    expect(cluster.allSaid('data-scattered')[0]?.holders).toEqual(['w1', 'w3']);
  });

  test('rejects when no worker took it, and wants nothing', async () => {
    const { client, cluster } = aClient();
    cluster.onPut = () => Promise.reject(new InvalidArgumentError('no room'));
    await expect(client.scatter('x')).rejects.toThrow('no room');
    expect(cluster.allSaid('data-scattered')).toEqual([]);
  });

  test('refuses futures inside the value', async () => {
    const { client, futures } = await withTasks(1);
    await expect(client.scatter({ deep: futures })).rejects.toThrow(/takes values/);
  });

  test('of many keeps their order', async () => {
    const { client } = aClient();
    const futures = await client.scatterAll(Array.from({ length: 10 }, (_, index) => index));
    await expect(client.gather(futures)).resolves.toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('of many has no more under way than the window holds, by an estimate of their size', async () => {
    const { client, cluster } = aClient({ gatherWindowBytes: 250_000 });
    const put = cluster.onPut;
    let [underWay, most] = [0, 0];
    cluster.onPut = async (...args) => {
      most = Math.max(most, (underWay += 1));
      await turns(1);
      underWay -= 1;
      return put(...args);
    };
    await client.scatterAll(Array.from({ length: 8 }, () => new Uint8Array(100_000)));
    expect(most).toBe(2);
  });

  test('can name an encoding', async () => {
    const { client, cluster } = aClient();
    const future = await client.scatter({ a: 1 }, { encoding: 'json' });
    expect(cluster.valueOf(future.key)?.encoding).toBe('json');
  });
});

describe('questions', () => {
  test('whoHas and nbytes describe the keys', async () => {
    const { client, cluster, futures } = await withTasks(2);
    const [a, b] = futures.map(({ key }) => asTaskKey(key)) as [never, never];
    cluster.keyInfos.set(a, { key: a, state: 'memory', nbytes: 7, whoHas: [aHolder('w1')] });
    await expect(client.whoHas(futures)).resolves.toEqual(
      new Map([
        [a, [aHolder('w1')]],
        [b, []],
      ]),
    );
    await expect(client.nbytes()).resolves.toEqual(new Map([[a, 7]]));
  });

  test('hasWhat takes names and ids, and refuses what is neither', async () => {
    const { client, cluster } = aClient();
    cluster.finish('k', 1);
    const expected = new Map([['w1', [{ key: 'k', nbytes: encodeValue(1).data.byteLength }]]]);
    await expect(client.hasWhat()).resolves.toEqual(expected);
    await expect(client.hasWhat(['w1'])).resolves.toEqual(expected);
    await expect(client.hasWhat(['name-of-w1'])).resolves.toEqual(expected);
    await expect(client.hasWhat(['w9'])).rejects.toThrow(UnknownWorkerError);
  });

  test('workers lists them', async () => {
    const { client } = aClient();
    await expect(client.workers()).resolves.toMatchObject([{ workerId: 'w1', name: 'name-of-w1' }]);
  });
});

describe('run', () => {
  test('gives the result of each worker', async () => {
    const { client, cluster } = aClient();
    cluster.onRun = (request, workers) => {
      expect(decodeValue(request.args)).toEqual([3]);
      expect([request.timeoutMs, workers]).toEqual([5000, ['w1']]);
      const result = encodeValue(6);
      return Promise.resolve([{ workerId: asWorkerId('w1'), outcome: { type: 'run-success', result } }]);
    };
    await expect(client.run(make, [3], { workers: ['w1'], timeout: '5s' })).resolves.toEqual(
      new Map([['w1', 6]]),
    );
  });

  test('rejects with the failure and says where', async () => {
    const { client, cluster } = aClient();
    const error = { code: 'TASK_FAILED', message: 'boom', details: {} };
    cluster.onRun = () =>
      Promise.resolve([{ workerId: asWorkerId('w1'), outcome: { type: 'run-failure', error } }]);
    await expect(client.run(make, [3])).rejects.toMatchObject({
      code: 'TASK_FAILED',
      details: { workerId: 'w1' },
    });
  });

  test('refuses futures, and functions that capture', async () => {
    const { client, futures } = await withTasks(1);
    await expect(client.run(make, [futures[0]!])).rejects.toThrow(/takes values/);
    await expect(client.run(() => asRunId(1))).rejects.toThrow(/from outside itself/);
  });
});

describe('close', () => {
  test('releases nothing key by key, ends the connection once, and makes calls fail', async () => {
    const { client, cluster, futures } = await withTasks(3);
    await client.close();
    await client[Symbol.asyncDispose]();
    futures.forEach((future) => future.release());
    await turns();
    expect(cluster.isClosed).toBe(true);
    expect(cluster.allSaid('client-releases-keys')).toEqual([]);
    await expect(client.workers()).rejects.toThrow(/closed/);
    expect(() => client.submit(make, 1)).toThrow(/closed/);
  });
});

test('an iterator of gather fetches as far ahead as the setting says', async () => {
  const { client, cluster } = aClient({ gatherWindowBytes: 1 });
  const futures = client.map(make, [1, 2, 3]);
  await turns();
  futures.forEach(({ key }, index) => cluster.finish(key, index));
  const iterator = client.gather(futures, { as: 'iterator' });
  await iterator.next();
  await turns();
  expect(cluster.fetches.flatMap(({ keys }) => keys)).toEqual([futures[0]?.key]);
  await iterator.return?.();
});
