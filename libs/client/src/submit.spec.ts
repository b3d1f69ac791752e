import {
  DependencyFailedError,
  FutureCancelledError,
  InvalidArgumentError,
  InvalidGraphError,
  ValueNotEncodableError,
} from '@spillway/kernel';
import { GRAPH_PART_BYTES_MAX, INLINE_ARGUMENT_BYTES_MAX, type TaskSpec } from '@spillway/messages';
import { decodeValue } from '@spillway/values';
import { preinstalled } from './remote-function.js';
import { repeat } from './repeat.js';
import { aClient, turns } from './testing/client-rig.js';
import { wireBytesOf } from './task-draft.js';

const add = preinstalled<(a: number, b: number) => number>('math', 'add');
const sum = preinstalled<(parts: number[]) => number>('math', 'sum');
const take = preinstalled<(value: unknown, other?: unknown) => number>('math', 'take');

const argsOf = (spec: TaskSpec, dependencies: readonly unknown[] = spec.dependencies): unknown =>
  decodeValue(spec.args, { dependencies });

describe('submit', () => {
  test('the calls of one turn travel as one graph, and each future is wanted', async () => {
    const { client, cluster } = aClient();

    const a = client.submit(add, 1, 2);
    const b = client.submit(add, 3, 4);
    expect(cluster.said).toEqual([]);
    await turns();

    expect(cluster.graphs).toHaveLength(1);
    expect(cluster.graphs[0]).toMatchObject({ partCount: 1, wants: [a.key, b.key] });
    expect(cluster.tasks.map((spec) => argsOf(spec))).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(cluster.tasks[0]?.function).toEqual({ kind: 'preinstalled', module: 'math', exportName: 'add' });
  });

  test('calls of later turns travel in later graphs with ids of their own', async () => {
    const { client, cluster } = aClient();
    client.submit(add, 1, 2);
    await turns();
    client.submit(add, 3, 4);
    await turns();
    const [first, second] = cluster.graphs;
    expect(first?.submissionId).not.toBe(second?.submissionId);
  });

  test('keys begin with the name of the function and differ for equal calls', () => {
    const { client } = aClient();
    const [a, b] = [client.submit(add, 1, 2), client.submit(add, 1, 2)];
    expect(a.key).toMatch(/^add-/);
    expect(a.key).not.toBe(b.key);
  });

  test('futures anywhere inside the arguments become dependencies, each once', async () => {
    const { client, cluster } = aClient();
    const a = client.submit(add, 1, 2);
    const b = client.submit(add, 3, 4);

    client.submit(take, { list: [a, [b]], map: new Map([['a', a]]), set: new Set([b]) }, a);
    await turns();

    const spec = cluster.tasks[2]!;
    expect(spec.dependencies).toEqual([a.key, b.key]);
    expect(argsOf(spec, ['A', 'B'])).toEqual([
      { list: ['A', ['B']], map: new Map([['a', 'A']]), set: new Set(['B']) },
      'A',
    ]);
  });

  test('arguments are encoded at the call: what changes afterwards is not sent', async () => {
    const { client, cluster } = aClient();
    const parts = [1, 2];
    client.submit(sum, parts);
    parts.push(3);
    await turns();
    expect(argsOf(cluster.tasks[0]!)).toEqual([[1, 2]]);
  });

  test('a future of another client is refused', () => {
    const one = aClient();
    const other = aClient();
    const foreign = one.client.submit(add, 1, 2);
    expect(() => other.client.submit(sum, [foreign, 1])).toThrow(InvalidArgumentError);
  });

  test('a released future is refused as an argument', () => {
    const { client } = aClient();
    const future = client.submit(add, 1, 2);
    future.release();
    expect(() => client.submit(sum, [future])).toThrow(/was released/);
  });

  test('an argument that cannot be encoded throws at the call and leaves the others of the turn alone', async () => {
    const { client, cluster } = aClient();
    const good = client.submit(add, 1, 2);
    expect(() => client.submit(take, { handler: () => 1 })).toThrow(ValueNotEncodableError);
    await turns();
    expect(cluster.graphs[0]?.wants).toEqual([good.key]);
  });

  test('options reach the task', async () => {
    const { client, cluster } = aClient();
    client
      .with({
        key: 'mine',
        priority: 3,
        retries: 2,
        workers: ['w1'],
        allowOtherWorkers: true,
        timeout: '5s',
        recompute: false,
        resultEncoding: 'json',
      })
      .submit(add, 1, 2);
    await turns();
    expect(cluster.tasks[0]).toMatchObject({
      key: 'mine',
      priority: 3,
      retries: 2,
      workers: ['w1'],
      allowOtherWorkers: true,
      timeoutMs: 5000,
      recompute: false,
      resultEncoding: 'json',
    });
  });

  test.each([
    ['retries', { retries: -1 }],
    ['retries', { retries: 1.5 }],
    ['priority', { priority: Number.NaN }],
    ['key', { key: '' }],
    ['key', { key: 'x'.repeat(2000) }],
    ['key', { key: 'half \ud83d of a pair' }],
    ['workers', { workers: ['one', ''] }],
    ['retries', { retries: 1e12 }],
    ['timeout', { timeout: 'soon' }],
    ['pure', { key: 'a', pure: true }],
  ])('a wrong option %s is refused by name', (name, options) => {
    const { client } = aClient();
    expect(() => client.with(options)).toThrow(name);
  });

  test('a name of a module or an export that cannot travel is refused where it is given', () => {
    expect(() => preinstalled('', 'add')).toThrow(/module/);
    expect(() => preinstalled('math', 'half \ud83d')).toThrow(/export/);
  });

  test('a refused graph rejects its futures with the typed error, and no others', async () => {
    const { client, cluster } = aClient();
    cluster.acceptsGraphs = false;
    const bad = client.submit(add, 1, 2);
    await turns();
    const good = client.submit(add, 3, 4);
    await turns();

    const { submissionId } = cluster.graphs[0]!;
    cluster.tell({
      type: 'graph-refused',
      submissionId,
      error: { code: 'INVALID_GRAPH', message: 'a cycle', details: {} },
    });

    await expect(bad.result()).rejects.toThrow(InvalidGraphError);
    expect(good.status).toBe('pending');
  });

  test('what needs a task that was refused fails without being sent', async () => {
    const { client, cluster } = aClient();
    cluster.acceptsGraphs = false;
    const bad = client.submit(add, 1, 2);
    await turns();
    const { submissionId } = cluster.graphs[0]!;
    const error = { code: 'INVALID_GRAPH', message: 'a cycle', details: {} };
    cluster.tell({ type: 'graph-refused', submissionId, error });

    const next = client.submit(sum, [bad]);

    await expect(next.result()).rejects.toThrow(DependencyFailedError);
    expect(cluster.graphs).toHaveLength(1);
  });
});

describe('keys of the caller’s choice', () => {
  test('make a graph of their own, so that a conflict touches nothing else of the turn', async () => {
    const { client, cluster } = aClient();
    const before = client.submit(add, 1, 2);
    const mine = client.with({ key: 'mine' }).submit(add, 3, 4);
    const after = client.submit(add, 5, 6);
    await turns();
    expect(cluster.graphs.map(({ wants }) => wants)).toEqual([[before.key], [mine.key], [after.key]]);
  });

  test('a conflict fails the later handle and leaves the earlier one as it is', async () => {
    const { client, cluster } = aClient();
    const first = client.with({ key: 'mine' }).submit(add, 1, 2);
    await turns();
    cluster.acceptsGraphs = false;
    const second = client.with({ key: 'mine' }).submit(add, 3, 4);
    await turns();
    const waiting = second.result();

    cluster.tell({
      type: 'graph-refused',
      submissionId: cluster.graphs[1]!.submissionId,
      error: { code: 'KEY_CONFLICT', message: 'other content', details: {} },
    });

    await expect(waiting).rejects.toMatchObject({ code: 'KEY_CONFLICT' });
    expect([first.status, second.status]).toEqual(['pending', 'erred']);
  });

  test('a large argument of such a call is still wanted when its graph is committed', async () => {
    const { client, cluster } = aClient();
    client.submit(add, 1, 2);
    const mine = client.with({ key: 'mine' }).submit(take, new Uint8Array(INLINE_ARGUMENT_BYTES_MAX + 1));
    await turns(10);
    expect(cluster.graphs.at(-1)?.wants).toEqual([mine.key]);
    expect(cluster.allSaid('client-releases-keys')).toEqual([]);
  });
});

describe('pure calls', () => {
  test('have the same key for the same function and arguments, and are sent once', async () => {
    const { client, cluster } = aClient();
    const pure = client.with({ pure: true });
    const a = pure.submit(add, 1, 2);
    const b = pure.submit(add, 1, 2);
    const c = pure.submit(add, 2, 1);
    await turns();
    expect(a.key).toBe(b.key);
    expect(a.key).not.toBe(c.key);
    expect(cluster.tasks.map(({ key }) => key)).toEqual([a.key, c.key]);
  });

  test('take the same future for the same, and another for another', () => {
    const { client } = aClient();
    const [a, b] = client.map(add, [1, 2], [3, 4]);
    const pure = client.with({ pure: true });
    expect(pure.submit(take, a).key).toBe(pure.submit(take, a).key);
    expect(pure.submit(take, a).key).not.toBe(pure.submit(take, b).key);
  });

  test('are submitted anew once their future was cancelled', async () => {
    const { client, cluster } = aClient();
    const pure = client.with({ pure: true });
    pure.submit(add, 1, 2).cancel();
    const again = pure.submit(add, 1, 2);
    await turns();
    expect(again.status).toBe('pending');
    expect(cluster.tasks).toHaveLength(2);
    expect(cluster.allSaid('client-releases-keys')).toEqual([]);
  });
});

describe('map', () => {
  test('makes one call for each value', async () => {
    const { client, cluster } = aClient();
    const futures = client.map(add, [1, 2, 3], new Set([10, 20, 30]));
    await turns();
    expect(futures).toHaveLength(3);
    expect(cluster.tasks.map((spec) => argsOf(spec))).toEqual([
      [1, 10],
      [2, 20],
      [3, 30],
    ]);
  });

  test('repeat gives every call the same value', async () => {
    const { client, cluster } = aClient();
    client.map(add, [1, 2], repeat(5));
    await turns();
    expect(cluster.tasks.map((spec) => argsOf(spec))).toEqual([
      [1, 5],
      [2, 5],
    ]);
  });

  test('inputs of different lengths are refused', () => {
    const { client } = aClient();
    expect(() => client.map(add, [1, 2], [1])).toThrow(/different lengths \(2, 1\)/);
    expect(() => client.map(add, repeat(1), repeat(2))).toThrow(/at least one input/);
    expect(() => client.with({ key: 'k' }).map(add, [1], [2])).toThrow(/"key"/);
  });

  test('of nothing sends nothing', async () => {
    const { client, cluster } = aClient();
    expect(client.map(add, [], [])).toEqual([]);
    await turns();
    expect(cluster.said).toEqual([]);
  });

  test('a very large map goes out in bounded parts over many turns and is committed once', async () => {
    const { client, cluster } = aClient();
    let turnCount = 0;
    const count = (): void => {
      turnCount += 1;
      if (cluster.graphs.length === 0) setImmediate(count);
    };
    const futures = client.map(
      take,
      Array.from({ length: 20_000 }, (_, index) => `${index}-${'x'.repeat(100)}`),
    );
    count();
    while (cluster.graphs.length === 0) await turns(1);

    expect(turnCount).toBeGreaterThan(20);
    const parts = cluster.allSaid('graph-part');
    expect(parts.length).toBeGreaterThan(2);
    expect(cluster.allSaid('graph-commit')).toMatchObject([{ partCount: parts.length, wants: [] }]);
    expect(parts.flatMap(({ wants }) => wants)).toEqual(futures.map(({ key }) => key));
    for (const { tasks, wants } of parts) {
      expect(wants).toEqual(tasks.map(({ key }) => key));
      const bytes = tasks.reduce((sum_, spec) => sum_ + wireBytesOf(spec) + spec.key.length, 0);
      expect(bytes).toBeLessThan(GRAPH_PART_BYTES_MAX);
    }
    expect(parts.map(({ partIndex }) => partIndex)).toEqual(parts.map((_, index) => index));
  });

  test('a graph goes no faster than the cluster takes it', async () => {
    const { client, cluster, timers } = aClient();
    client.submit(add, 1, 2);
    await turns();
    cluster.backlogBytes = 2 ** 40;
    const later = client.submit(add, 3, 4);
    await turns();
    expect(cluster.tasks).toHaveLength(1);
    timers.advance(1000);
    await turns();
    expect(cluster.tasks).toHaveLength(1);

    cluster.backlogBytes = 0;
    timers.advance(1000);
    await turns();
    expect(cluster.tasks[1]?.key).toBe(later.key);
  });

  test.each(['closed', 'lost'])(
    'nothing more of a large graph is sent when the session is %s',
    async (how) => {
      const { client, cluster, timers } = aClient();
      const futures = client.map(
        take,
        Array.from({ length: 20_000 }, (_, index) => `${index}-${'x'.repeat(100)}`),
      );
      while (cluster.allSaid('graph-part').length === 0) await turns(1);
      cluster.backlogBytes = 2 ** 40;
      await turns();
      if (how === 'closed') await client.close();
      else cluster.listener?.onEnded(undefined);
      timers.advance(1000);
      await turns(100);
      expect(cluster.graphs).toEqual([]);
      expect(cluster.tasks.length).toBeLessThan(20_000);
      expect(futures.every(({ status }) => status === 'erred')).toBe(true);
      expect(timers.pendingCount).toBe(0);
    },
  );

  test('a call whose arguments cannot be encoded fails alone', async () => {
    const { client, cluster } = aClient();
    const [good, bad] = client.map(take, [1, () => 2]);
    await turns();
    await expect(bad?.result()).rejects.toThrow(ValueNotEncodableError);
    expect(cluster.graphs[0]?.wants).toEqual([good?.key]);
  });

  test('what is said after a large map is heard after it', async () => {
    const { client, cluster } = aClient();
    const futures = client.map(
      take,
      Array.from({ length: 3000 }, (_, index) => index),
    );
    futures[0]?.cancel();
    client.submit(add, 1, 2);
    while (cluster.graphs.length < 2) await turns(1);
    expect(cluster.said.map(({ type }) => type).filter((type) => type !== 'graph-part')).toEqual([
      'graph-commit',
      'cancel-keys',
      'graph-commit',
    ]);
  });
});

test('after close nothing is taken any more, and what waited is cancelled', async () => {
  const { client, cluster } = aClient();
  const waiting = client.submit(add, 1, 2).result();
  await client.close();
  await expect(waiting).rejects.toThrow(FutureCancelledError);
  expect(() => client.submit(add, 1, 2)).toThrow(/closed/);
  expect(cluster.isClosed).toBe(true);
});
