import { asTaskKey, FutureCancelledError } from '@spillway/kernel';
import type { Future } from './future.js';
import { preinstalled } from './remote-function.js';
import { aClient, turns, type ClientRig } from './testing/client-rig.js';

const make = preinstalled<(size: number) => Uint8Array>('m', 'make');
const check = preinstalled<(value: Uint8Array) => boolean>('m', 'check');

/** A client with one task whose graph is accepted. */
async function aTask(): Promise<ClientRig & { future: Future<Uint8Array> }> {
  const rig = aClient();
  const future = rig.client.submit(make, 1);
  await turns();
  return { ...rig, future };
}

describe('cancel', () => {
  test('rejects what waits at once and tells the scheduler, once for each key', async () => {
    const { client, cluster, future } = await aTask();
    const result = future.result();
    client.cancel([future, future], { force: true });
    await expect(result).rejects.toThrow(FutureCancelledError);
    await turns();
    expect(cluster.allSaid('cancel-keys')).toEqual([
      { type: 'cancel-keys', keys: [future.key], force: true },
    ]);
    expect(future.status).toBe('cancelled');
  });

  test('is final, whatever was on its way', async () => {
    const { cluster, future } = await aTask();
    future.cancel();
    cluster.finishInline(future.key, 1);
    await expect(future.result()).rejects.toThrow(FutureCancelledError);
  });

  test('by the cluster says who and why', async () => {
    const { cluster, future } = await aTask();
    cluster.tell({ type: 'key-cancelled', key: asTaskKey(future.key), reason: 'cancelled by client c9' });
    await expect(future.result()).rejects.toThrow(/client c9/);
  });
});

describe('retry', () => {
  test('of an erred task waits for it again', async () => {
    const { cluster, future } = await aTask();
    const key = asTaskKey(future.key);
    cluster.tell({ type: 'key-erred', key, error: { code: 'TASK_FAILED', message: 'boom', details: {} } });
    future.retry();
    const result = future.result();
    await turns();
    expect(cluster.allSaid('retry-keys')).toEqual([{ type: 'retry-keys', keys: [key] }]);
    cluster.tell({ type: 'key-retried', key });
    cluster.finishInline(key, 1);
    await expect(result).resolves.toBe(1);
  });

  test('of anything but an erred task says nothing', async () => {
    const { cluster, future } = await aTask();
    future.retry();
    await turns();
    expect(cluster.allSaid('retry-keys')).toEqual([]);
  });

  test('by someone else makes the future pending again', async () => {
    const { cluster, future } = await aTask();
    const key = asTaskKey(future.key);
    cluster.tell({ type: 'key-erred', key, error: { code: 'TASK_FAILED', message: 'boom', details: {} } });
    cluster.tell({ type: 'key-retried', key });
    expect(future.status).toBe('pending');
  });

  test('of a task that was never submitted is refused', async () => {
    const { client, cluster } = aClient();
    cluster.acceptsGraphs = false;
    const future = client.submit(make, 1);
    await turns();
    const error = { code: 'INVALID_GRAPH', message: 'no', details: {} };
    cluster.tell({ type: 'graph-refused', submissionId: cluster.graphs[0]!.submissionId, error });
    expect(() => future.retry()).toThrow(/never reached/);
  });
});

describe('release', () => {
  test('of the last handle tells the scheduler, many keys in one message', async () => {
    const { client, cluster } = aClient();
    const futures = client.map(make, [1, 2, 3]);
    await turns();
    client.release(futures);
    futures[0]?.release();
    await turns();
    expect(cluster.allSaid('client-releases-keys')).toEqual([
      { type: 'client-releases-keys', keys: futures.map(({ key }) => key) },
    ]);
  });

  test('of one of two handles does not', async () => {
    const { client, cluster } = aClient();
    const one = client.with({ key: 'k' }).submit(make, 1);
    const two = client.with({ key: 'k' }).submit(make, 1);
    await turns();
    one.release();
    await turns();
    expect(cluster.allSaid('client-releases-keys')).toEqual([]);
    two[Symbol.dispose]();
    await turns();
    expect(cluster.allSaid('client-releases-keys')).toHaveLength(1);
  });

  test('makes the handle useless', async () => {
    const { future } = await aTask();
    future.release();
    await expect(future.result()).rejects.toThrow(/was released/);
    expect(() => future.cancel()).toThrow(/released/);
  });

  test('right after a call that it is an argument of leaves that call its argument', async () => {
    const { client, cluster } = aClient();
    const inputs = client.map(make, [1, 2]);
    client.map(check, inputs);
    client.release(inputs);
    await turns();
    const releasedAt = cluster.said.findIndex(({ type }) => type === 'client-releases-keys');
    const committedAt = cluster.said.findLastIndex(({ type }) => type === 'graph-part');
    expect(cluster.tasks.flatMap(({ dependencies }) => dependencies)).toEqual(inputs.map(({ key }) => key));
    expect(releasedAt).toBeGreaterThan(committedAt);
    const tooLate = client.map(check, inputs);
    await expect(tooLate[0]!.result()).rejects.toThrow(/was released/);
  });

  test('is said after what was submitted before it, even while an earlier release is still to be said', async () => {
    const { client, cluster } = aClient();
    const [first, second] = client.map(make, [1, 2]);
    await turns();
    first!.release();
    client.submit(check, second!);
    second!.release();
    await turns();
    const lastGraph = cluster.said.findLastIndex(({ type }) => type === 'graph-part');
    const lastRelease = cluster.said.findLastIndex(({ type }) => type === 'client-releases-keys');
    expect(lastRelease).toBeGreaterThan(lastGraph);
  });

  test('and the same key submitted again in one turn stays wanted', async () => {
    const { client, cluster } = aClient();
    const one = client.with({ key: 'k' }).submit(make, 1);
    await turns();
    one.release();
    const two = client.with({ key: 'k' }).submit(make, 1);
    await turns();
    expect(cluster.allSaid('client-releases-keys')).toEqual([]);
    expect(cluster.graphs.at(-1)?.wants).toEqual([two.key]);
  });

  test('and submitted again: what was said about the old key is not taken for the new one', async () => {
    const { client, cluster } = aClient();
    const one = client.with({ key: 'k' }).submit(make, 1);
    await turns();
    one.release();
    await turns();
    cluster.acceptsGraphs = false;
    const two = client.with({ key: 'k' }).submit(make, 2);
    await turns();
    cluster.finishInline('k', 'old');
    expect(two.status).toBe('pending');
    cluster.tell({ type: 'graph-accepted', submissionId: cluster.graphs.at(-1)!.submissionId });
    cluster.finishInline('k', 'new');
    await expect(two.result()).resolves.toBe('new');
  });

  test('messages about released keys are ignored', async () => {
    const { cluster, future } = await aTask();
    future.release();
    expect(() => cluster.finishInline(future.key, 1)).not.toThrow();
  });
});

test('a future is no promise: to pass it on does not wait for it', async () => {
  const { future } = await aTask();
  expect('then' in future).toBe(false);
  await expect(Promise.resolve(future)).resolves.toBe(future);
});
