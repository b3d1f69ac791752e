import { LimitExceededError, NoValidWorkerError } from '@spillway/kernel';
import {
  ARGUMENTS_BYTES_MAX,
  DEPENDENCIES_MAX,
  DEPENDENCY_KEYS_BYTES_MAX,
  INLINE_ARGUMENT_BYTES_MAX,
  KEY_LENGTH_MAX,
  type TaskSpec,
} from '@spillway/messages';
import { decodeValue } from '@spillway/values';
import { preinstalled } from './remote-function.js';
import { repeat } from './repeat.js';
import { aClient, turns } from './testing/client-rig.js';

const add = preinstalled<(a: number, b: number) => number>('math', 'add');
const sum = preinstalled<(parts: number[]) => number>('math', 'sum');
const take = preinstalled<(value: unknown, other?: unknown) => number>('math', 'take');

const argsOf = (spec: TaskSpec, dependencies: readonly unknown[]): unknown =>
  decodeValue(spec.args, { dependencies });

describe('large arguments', () => {
  const large = (fill = 1): Uint8Array => new Uint8Array(INLINE_ARGUMENT_BYTES_MAX + 1).fill(fill);

  test('are put on a worker before the graph that needs them is committed', async () => {
    const { client, cluster } = aClient();
    client.submit(take, large(7), 'small');
    await turns(10);

    const [spec] = cluster.tasks;
    const [scattered] = cluster.allSaid('data-scattered');
    expect(spec?.dependencies).toEqual([scattered?.key]);
    expect(spec?.args.data.byteLength).toBeLessThan(1000);
    expect(decodeValue(cluster.valueOf(scattered!.key)!)).toEqual(large(7));
    const order = cluster.said.map(({ type }) => type);
    expect(order.indexOf('data-scattered')).toBeLessThan(order.indexOf('graph-commit'));
  });

  test('of the same reference are put there once for all calls of a submission', async () => {
    const { client, cluster } = aClient();
    const shared = { rows: Array.from({ length: 20_000 }, (_, index) => `row ${index}`) };
    client.map(take, [1, 2, 3], repeat(shared));
    client.submit(take, shared);
    await turns(10);
    expect(cluster.puts).toHaveLength(1);
    expect(new Set(cluster.tasks.flatMap(({ dependencies }) => dependencies)).size).toBe(1);
  });

  test('long text and the large parts beside futures are taken out too', async () => {
    const { client, cluster } = aClient();
    const future = client.submit(add, 1, 2);
    const text = 'y'.repeat(100_000);
    client.submit(take, { future, rows: { text, data: large(3) } }, text);
    await turns(10);
    const spec = cluster.tasks[1]!;
    expect(spec.args.data.byteLength).toBeLessThan(1000);
    const values = spec.dependencies.map((key) => {
      const payload = cluster.valueOf(key);
      return payload === undefined ? 'the future' : decodeValue(payload);
    });
    expect(argsOf(spec, values)).toEqual([{ future: 'the future', rows: { text, data: large(3) } }, text]);
  });

  test('a container that contains itself and a future ends', async () => {
    const { client, cluster } = aClient();
    const future = client.submit(add, 1, 2);
    const loop: Record<string, unknown> = { future, rows: Array.from({ length: 30_000 }, (_, i) => `r${i}`) };
    loop['self'] = loop;
    client.submit(take, loop);
    await turns(10);
    expect(cluster.tasks).toHaveLength(2);
  });

  test('live as long as the futures that were made of them, and no longer', async () => {
    const { client, cluster } = aClient();
    const future = client.submit(take, large());
    await turns(10);
    expect(cluster.allSaid('client-releases-keys')).toEqual([]);

    future.release();
    await turns();
    const [{ key } = { key: '' }] = cluster.allSaid('data-scattered');
    expect(cluster.allSaid('client-releases-keys').flatMap(({ keys }) => keys)).toEqual([future.key, key]);
  });

  test('wait for the first worker', async () => {
    const { client, cluster, timers } = aClient();
    const workers = cluster.workers;
    cluster.workers = [];
    const future = client.submit(take, large());
    await turns();
    expect(cluster.graphs).toEqual([]);

    cluster.workers = workers;
    timers.advance(50);
    await turns();
    expect(cluster.graphs[0]?.wants).toEqual([future.key]);
  });

  test('that no worker takes fail the tasks that need them, and not their neighbours', async () => {
    const { client, cluster } = aClient();
    cluster.onPut = () => Promise.reject(new NoValidWorkerError('full'));
    const bad = client.submit(take, large());
    const good = client.submit(add, 1, 2);
    await turns(10);
    await expect(bad.result()).rejects.toThrow(NoValidWorkerError);
    expect(cluster.graphs[0]?.wants).toEqual([good.key]);
  });
});

test('a merge of very many futures is one task', async () => {
  const { client, cluster } = aClient();
  const parts = client.map(
    take,
    Array.from({ length: DEPENDENCIES_MAX }, (_, index) => index),
  );
  const total = client.submit(sum, parts);
  while (cluster.allSaid('graph-commit').length < 2) await turns(1);
  const part = cluster.allSaid('graph-part').at(-1);
  const [spec] = part!.tasks;
  expect(part?.tasks).toHaveLength(1);
  expect(spec?.key).toBe(total.key);
  expect(spec?.dependencies).toEqual(parts.map(({ key }) => key));
  expect(spec!.args.data.byteLength).toBeLessThan(ARGUMENTS_BYTES_MAX);
  const merged = argsOf(
    spec!,
    parts.map(({ key }) => key),
  ) as [string[]];
  expect(merged[0]).toEqual(parts.map(({ key }) => key));
}, 60_000);

test('futures with keys that are too long together are refused where they are given', () => {
  const { client } = aClient();
  const keyOf = (index: number): string => `${index}`.padStart(KEY_LENGTH_MAX, 'k');
  const futures = Array.from({ length: DEPENDENCY_KEYS_BYTES_MAX / KEY_LENGTH_MAX + 1 }, (_, index) =>
    client.with({ key: keyOf(index) }).submit(take, index),
  );
  expect(() => client.submit(sum, futures)).toThrow(LimitExceededError);
  expect(() => client.submit(sum, futures.slice(1))).not.toThrow();
});

test('small values in such number that they cannot be taken apart are refused', () => {
  const { client } = aClient();
  const future = client.submit(take, 1);
  const numbers = Array.from({ length: ARGUMENTS_BYTES_MAX }, (_, index) => index);
  expect(() => client.submit(take, [future, ...numbers])).toThrow(LimitExceededError);
});

test('what counts as large is a setting', async () => {
  const { client, cluster } = aClient({ inlineArgumentBytesMax: 1000 });
  client.submit(take, new Uint8Array(900), new Uint8Array(1001));
  await turns(10);
  expect(cluster.puts).toHaveLength(1);
  expect(cluster.tasks[0]?.dependencies).toHaveLength(1);
});
