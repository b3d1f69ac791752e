import {
  ClusterUnreachableError,
  DeadlineExceededError,
  InvalidArgumentError,
  LostDataError,
  TaskFailedError,
  UnavailableError,
  asTaskKey,
} from '@spillway/kernel';
import type { Future } from './future.js';
import { encodeValue } from '@spillway/values';
import { preinstalled } from './remote-function.js';
import { aHolder } from './testing/fake-cluster.js';
import { aClient, turns, type ClientRig } from './testing/client-rig.js';

const make = preinstalled<(size: number) => Uint8Array>('m', 'make');

/** A client with one task whose graph is accepted. */
async function aTask(): Promise<ClientRig & { future: Future<Uint8Array> }> {
  const rig = aClient();
  const future = rig.client.submit(make, 1);
  await turns();
  return { ...rig, future };
}

describe('result', () => {
  test('an inline result is there without fetching', async () => {
    const { cluster, future } = await aTask();
    const result = future.result();
    cluster.finishInline(future.key, 42);
    await expect(result).resolves.toBe(42);
    expect(cluster.fetches).toEqual([]);
    expect([future.status, future.done]).toEqual(['finished', true]);
  });

  test('a larger result is fetched from the holder', async () => {
    const { cluster, future } = await aTask();
    const result = future.result();
    cluster.finish(future.key, new Uint8Array([1, 2, 3]));
    await expect(result).resolves.toEqual(new Uint8Array([1, 2, 3]));
    expect(cluster.fetches).toEqual([{ route: 'direct', holder: aHolder('w1'), keys: [future.key] }]);
  });

  test('callers of one key share a fetch while it is under way', async () => {
    const { cluster, future } = await aTask();
    cluster.finish(future.key, 'x');
    await Promise.all([future.result(), future.result()]);
    expect(cluster.fetches).toHaveLength(1);
    await future.result();
    expect(cluster.fetches).toHaveLength(2);
  });

  test('the most recent holder is asked first, then the others', async () => {
    const { cluster, future } = await aTask();
    const [old, recent] = [aHolder('old'), aHolder('recent')];
    cluster.finish(future.key, 'x', old);
    cluster.tell({ type: 'key-in-memory', key: asTaskKey(future.key), nbytes: 3, holders: [old, recent] });
    await expect(future.result()).resolves.toBe('x');
    expect(cluster.fetches.map(({ holder }) => holder.workerId)).toEqual(['recent', 'old']);
  });

  test('when no holder has it, the scheduler is asked where it is now', async () => {
    const { cluster, future, timers } = await aTask();
    const key = asTaskKey(future.key);
    cluster.tell({ type: 'key-in-memory', key, nbytes: 3, holders: [aHolder('gone')] });
    cluster.finish('elsewhere', 'x', aHolder('w2'));
    cluster.stored.get('w2')!.set(key, encodeValue('x'));
    cluster.keyInfos.set(key, { key, state: 'memory', nbytes: 3, whoHas: [aHolder('w2')] });
    const result = future.result();
    await turns();
    timers.advance(1000);
    await expect(result).resolves.toBe('x');
  });

  test('a lost key is waited for until it has been computed again', async () => {
    const { cluster, future, timers } = await aTask();
    const key = asTaskKey(future.key);
    cluster.tell({ type: 'key-in-memory', key, nbytes: 3, holders: [aHolder('gone')] });
    const result = future.result();
    await turns();
    cluster.keyInfos.set(key, { key, state: 'processing', nbytes: undefined, whoHas: [] });
    cluster.tell({ type: 'key-lost', key });
    expect(future.status).toBe('lost');
    timers.advance(1000);
    await turns();
    cluster.finish(future.key, 'again');
    for (let round = 0; round < 5; round += 1) {
      timers.advance(1000);
      await turns();
    }
    await expect(result).resolves.toBe('again');
  });

  test('a key that the scheduler has forgotten is an error and not a wait without end', async () => {
    const { cluster, future, timers } = await aTask();
    const key = asTaskKey(future.key);
    cluster.tell({ type: 'key-in-memory', key, nbytes: 3, holders: [aHolder('gone')] });
    const result = future.result();
    const rejects = expect(result).rejects.toThrow(LostDataError);
    for (let round = 0; round < 3; round += 1) {
      await turns();
      timers.advance(1000);
    }
    await rejects;
  });

  test('holders that never give it out end in an error that says why', async () => {
    const { cluster, future, timers } = await aTask();
    const key = asTaskKey(future.key);
    cluster.onFetch = () => ({ type: 'gather-network-failure', values: [], message: 'connection refused' });
    cluster.keyInfos.set(key, { key, state: 'memory', nbytes: 3, whoHas: [aHolder('w1')] });
    cluster.tell({ type: 'key-in-memory', key, nbytes: 3, holders: [aHolder('w1')] });
    const rejects = expect(future.result()).rejects.toThrow(/connection refused/);
    for (let round = 0; round < 30; round += 1) {
      await turns();
      timers.advance(1000);
    }
    await rejects;
  });

  test('a busy holder is asked again as long as it takes', async () => {
    const { cluster, future, timers } = await aTask();
    const key = asTaskKey(future.key);
    let refusals = 60;
    cluster.onFetch = () => (refusals-- > 0 ? { type: 'gather-busy' } : undefined);
    cluster.finish(future.key, 'x');
    cluster.keyInfos.set(key, { key, state: 'memory', nbytes: 3, whoHas: [aHolder('w1')] });
    const result = future.result();
    for (let round = 0; round < 70; round += 1) {
      await turns();
      timers.advance(1000);
    }
    await expect(result).resolves.toBe('x');
  });

  test('keys of one worker asked for in one turn travel in one request', async () => {
    const { client, cluster } = aClient();
    const futures = client.map(make, [1, 2, 3]);
    await turns();
    for (const [index, { key }] of futures.entries()) cluster.finish(key, index);
    await expect(client.gather(futures)).resolves.toEqual([0, 1, 2]);
    expect(cluster.fetches).toHaveLength(1);
  });
});

describe('a worker that cannot be reached', () => {
  test('is read through the relay, and at once through it the next time', async () => {
    const { client, cluster, timers } = aClient();
    const futures = client.map(make, [1, 2]);
    await turns();
    cluster.onFetch = ({ route }) =>
      route === 'direct' ? { type: 'gather-network-failure', values: [], message: 'no route' } : undefined;
    for (const { key } of futures) cluster.finish(key, key);

    await expect(futures[0]?.result()).resolves.toBe(futures[0]?.key);
    await expect(futures[1]?.result()).resolves.toBe(futures[1]?.key);
    expect(cluster.fetches.map(({ route }) => route)).toEqual(['direct', 'relay', 'relay']);

    // After a while it is tried directly again.
    timers.advance(120_000);
    cluster.onFetch = () => undefined;
    await futures[0]?.result();
    expect(cluster.fetches.at(-1)?.route).toBe('direct');
  });

  test('is written through the relay too', async () => {
    const { client, cluster } = aClient();
    cluster.onPut = (route) =>
      route === 'direct' ? Promise.reject(new UnavailableError('no route')) : Promise.resolve();
    const future = await client.scatter({ rows: [1, 2] });
    expect(cluster.puts.map(({ route }) => route)).toEqual(['direct', 'relay']);
    await expect(future.result()).resolves.toEqual({ rows: [1, 2] });
  });
});

describe('errors', () => {
  test('are typed, keep the remote stack and details, and have the thrown value as cause', async () => {
    const { cluster, future } = await aTask();
    cluster.tell({
      type: 'key-erred',
      key: asTaskKey(future.key),
      error: {
        code: 'TASK_FAILED',
        message: 'boom',
        stack: 'Error: boom\n    at make (tasks.ts:3:7)',
        details: { workerId: 'w1' },
        thrown: encodeValue(Object.assign(new RangeError('boom'), { code: 'E_RANGE' })),
      },
    });
    const error: unknown = await future.result().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TaskFailedError);
    expect(error).toMatchObject({ code: 'TASK_FAILED', details: { workerId: 'w1' } });
    expect((error as Error).stack).toBe('TaskFailedError: boom\n    at make (tasks.ts:3:7)');
    expect((error as Error).cause).toMatchObject({ name: 'RangeError', message: 'boom', code: 'E_RANGE' });
    await expect(future.exception()).resolves.toBe(error);
    expect(future.status).toBe('erred');
  });

  test('name the worker', async () => {
    const { cluster, future } = await aTask();
    const details = { key: future.key, workerId: 'w1', workerName: 'gpu-0' };
    const error = { code: 'TASK_FAILED', message: 'boom', details };
    cluster.tell({ type: 'key-erred', key: asTaskKey(future.key), error });
    expect((await future.exception())?.details).toEqual(details);
  });

  test('have no frames of this process, which had no part in them', async () => {
    const { cluster, future } = await aTask();
    const stack = 'Error: two\nlines at most';
    const error = { code: 'TASK_FAILED', message: 'two\nlines at most', stack, details: {} };
    cluster.tell({ type: 'key-erred', key: asTaskKey(future.key), error });
    expect((await future.exception())?.stack).toBe('TaskFailedError: two\nlines at most');
  });

  test('keep what was thrown as it was: causes, aggregates, codes, stacks', async () => {
    const { cluster, future } = await aTask();
    const deep = Object.assign(new TypeError('deep'), { code: 'E_DEEP' });
    const thrown = new AggregateError([new Error('one', { cause: deep }), 'two'], 'several', { cause: deep });
    const error = { code: 'TASK_FAILED', message: 'several', details: {}, thrown: encodeValue(thrown) };
    cluster.tell({ type: 'key-erred', key: asTaskKey(future.key), error });
    const cause = (await future.exception())?.cause as AggregateError & { cause: Error };
    expect(cause).toBeInstanceOf(AggregateError);
    expect(cause.stack).toBe(thrown.stack);
    expect(cause.cause).toMatchObject({ name: 'TypeError', code: 'E_DEEP', stack: deep.stack });
    const [one, two] = cause.errors as [Error & { cause: Error }, string];
    expect(one.message).toBe('one');
    expect(one.cause).toBe(cause.cause);
    expect(two).toBe('two');
  });

  test('a chain of causes is rebuilt', async () => {
    const { cluster, future } = await aTask();
    cluster.tell({
      type: 'key-erred',
      key: asTaskKey(future.key),
      error: {
        code: 'DEPENDENCY_FAILED',
        message: 'outer',
        details: {},
        cause: { code: 'TASK_FAILED', message: 'inner', details: {}, thrown: encodeValue('just text') },
      },
    });
    const error = await future.exception();
    expect(error?.cause).toMatchObject({ code: 'TASK_FAILED', message: 'inner', cause: 'just text' });
  });

  test('a thrown value that cannot be read does not hide the error', async () => {
    const { cluster, future } = await aTask();
    const thrown = { encoding: 'v8', data: new Uint8Array([1, 2, 3]) } as const;
    const error = { code: 'TASK_FAILED', message: 'boom', details: {}, thrown };
    cluster.tell({ type: 'key-erred', key: asTaskKey(future.key), error });
    await expect(future.result()).rejects.toThrow('boom');
  });

  test('exception is undefined for a task that has finished', async () => {
    const { cluster, future } = await aTask();
    cluster.finishInline(future.key, 1);
    await expect(future.exception()).resolves.toBeUndefined();
  });
});

describe('bounds', () => {
  test('a timeout rejects, the task goes on and its result can be had later', async () => {
    const { cluster, future, timers } = await aTask();
    const result = future.result({ timeout: '5s' });
    timers.advance(5000);
    await expect(result).rejects.toThrow(DeadlineExceededError);
    cluster.finishInline(future.key, 1);
    await expect(future.result({ timeout: 100 })).resolves.toBe(1);
    expect(timers.pendingCount).toBe(0);
  });

  test('an abort rejects with the reason as it is', async () => {
    const { future } = await aTask();
    const abort = new AbortController();
    const reason = { why: 'enough' };
    const result = future.result({ signal: abort.signal });
    abort.abort(reason);
    await expect(result).rejects.toBe(reason);
    await expect(future.result({ signal: abort.signal })).rejects.toBe(reason);
  });

  test('a fetch is broken off when its last caller has gone', async () => {
    const { cluster, future } = await aTask();
    let aborted = false;
    const fetch = cluster.fetch.bind(cluster);
    cluster.fetch = (route, holder, keys, options?: { signal?: AbortSignal }) => {
      options?.signal?.addEventListener('abort', () => (aborted = true));
      void fetch(route, holder, keys);
      return new Promise(() => undefined);
    };
    cluster.finish(future.key, 'x');
    const [one, two] = [new AbortController(), new AbortController()];
    const results = [future.result({ signal: one.signal }), future.result({ signal: two.signal })];
    await turns();
    one.abort(new Error('one'));
    await expect(results[0]).rejects.toThrow('one');
    expect(aborted).toBe(false);
    two.abort(new Error('two'));
    await expect(results[1]).rejects.toThrow('two');
    expect(aborted).toBe(true);
  });

  test('a wrong timeout is refused', async () => {
    const { future } = await aTask();
    await expect(future.result({ timeout: 'soon' })).rejects.toThrow(InvalidArgumentError);
    await expect(future.result({ timeout: -1 })).rejects.toThrow(InvalidArgumentError);
  });
});

describe('the end of the session', () => {
  test('rejects everything that waits, now and later, with the reason', async () => {
    const { client, cluster, future } = await aTask();
    const result = future.result();
    cluster.listener?.onEnded(new ClusterUnreachableError('gone for 30 s'));
    await expect(result).rejects.toThrow('gone for 30 s');
    await expect(client.submit(make, 2).result()).rejects.toThrow('gone for 30 s');
  });

  test('without a reason it is the scheduler that ended it', async () => {
    const { cluster, future } = await aTask();
    cluster.listener?.onEnded(undefined);
    await expect(future.result()).rejects.toThrow(ClusterUnreachableError);
  });

  test('leaves results that are at hand', async () => {
    const { cluster, future } = await aTask();
    cluster.finishInline(future.key, 7);
    cluster.listener?.onEnded(undefined);
    await expect(future.result()).resolves.toBe(7);
  });
});
