/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
import { createHash, randomBytes } from 'node:crypto';
import {
  asClientId,
  asModuleHash,
  asSubmissionId,
  asTaskKey,
  asWorkerId,
  DeadlineExceededError,
  FunctionNotFoundError,
  InvalidGraphError,
  InvariantError,
  LimitExceededError,
  NoValidWorkerError,
} from '@spillway/kernel';
import type { Holding, KeyInfo, RunRequest, TaskSpec, WorkerInfo } from '@spillway/messages';
import { spillway } from '@spillway/proto';
import { Caller } from '../queries/caller.js';
import { SchedulerQueries } from '../queries/scheduler-queries.js';
import { TestScheduler } from './fixtures.spec-d.js';
import type { SchedulerHandlers } from './scheduler-handlers.js';
import type { SchedulerServer } from './scheduler-server.js';

const wire = spillway.v1;
const methods = wire.SchedulerService.prototype;
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(handlers: Partial<SchedulerHandlers> = {}): Promise<SchedulerServer> {
  const server = await new TestScheduler(handlers).serve();
  closing.push(() => server.close());
  return server;
}

async function queriesTo(handlers: Partial<SchedulerHandlers>): Promise<SchedulerQueries> {
  const queries = new SchedulerQueries({ address: (await serve(handlers)).address, timeoutMs: 10_000 });
  closing.push(() => queries.close());
  return queries;
}

function callerTo(server: SchedulerServer): Caller {
  const caller = new Caller({ address: server.address, timeoutMs: 10_000 });
  closing.push(() => caller.close());
  return caller;
}

const aWorker = (index: number): WorkerInfo => ({
  workerId: asWorkerId(`worker-${index}`),
  name: `name-${index}`,
  address: '127.0.0.1:4000',
  status: 'running',
  nthreads: 2,
  memoryLimitBytes: index % 2 === 0 ? false : 2 ** 40,
  processBytes: 60,
  managedBytes: 10,
  unmanagedOldBytes: 20,
  unmanagedRecentBytes: 30,
  hoardedBytes: 5,
  spilledBytes: 2 ** 41,
  processPeakBytes: 70,
  spillWrittenBytes: 2 ** 42,
  spillReadBytes: 2 ** 43,
  ...(index % 3 === 0 ? { spillRefusedBecause: 'disk-full' } : {}),
  isUnderPressure: index % 2 === 1,
  processingCount: 3,
  keyCount: 4,
});

async function drain(parts: AsyncIterable<readonly TaskSpec[]>): Promise<void> {
  const iterator = parts[Symbol.asyncIterator]();
  while ((await iterator.next()).done !== true);
}

describe('queries', () => {
  test('keys are described in the order asked, in as many calls as it takes', async () => {
    const asked: number[] = [];
    const queries = await queriesTo({
      describeKeys: (keys) => {
        asked.push(keys.length);
        return keys.map((key): KeyInfo => ({ key, state: 'forgotten', nbytes: undefined, whoHas: [] }));
      },
    });
    const keys = Array.from({ length: 4500 }, (_, i) => asTaskKey(`key-${i}`));

    const infos = await queries.describeKeys(keys);

    expect(infos.map(({ key }) => key)).toEqual(keys);
    expect(asked).toEqual([2000, 2000, 500]);
  });

  test('lists longer than a page arrive whole', async () => {
    const workers = Array.from({ length: 2500 }, (_, index) => aWorker(index));
    const holdings = Array.from({ length: 25_000 }, (_, i): Holding => ({
      key: asTaskKey(`k${i}`),
      nbytes: i,
    }));
    const queries = await queriesTo({
      listWorkers: () => workers,
      hasWhat: (workerId) => (workerId === asWorkerId('worker-1') ? holdings : undefined),
    });

    expect(await queries.listWorkers()).toEqual(workers);
    expect(await queries.hasWhat(asWorkerId('worker-1'))).toEqual(holdings);
    expect(await queries.hasWhat(asWorkerId('nobody'))).toBeUndefined();
  });

  test('pages have the size asked for, and a made-up token is refused', async () => {
    const caller = callerTo(
      await serve({ listWorkers: () => Array.from({ length: 5 }, (_, i) => aWorker(i)) }),
    );
    const page = (pageSize: number, pageToken: string): Promise<spillway.v1.ListWorkersResponse> =>
      caller.unary(
        methods.listWorkers,
        { codec: wire.ListWorkersRequest, message: { pageSize, pageToken } },
        wire.ListWorkersResponse,
      );

    const first = await page(2, '');
    const last = await page(3, first.nextPageToken);

    expect(first.workers.map(({ workerId }) => workerId)).toEqual(['worker-0', 'worker-1']);
    expect(last.workers.map(({ workerId }) => workerId)).toEqual(['worker-2', 'worker-3', 'worker-4']);
    expect(last.nextPageToken).toBe('');
    await expect(page(2, 'drop table')).rejects.toMatchObject({ details: { field: 'page_token' } });
    await expect(page(-1, '')).rejects.toMatchObject({ details: { field: 'page_size' } });
  });

  test('what a handler throws arrives as the same error', async () => {
    const queries = await queriesTo({
      planScatter: () => {
        throw new NoValidWorkerError('No worker is there.', { details: { wanted: 'gpu' } });
      },
    });

    const planned = queries.planScatter(100, 2, ['gpu']);

    await expect(planned).rejects.toBeInstanceOf(NoValidWorkerError);
    await expect(planned).rejects.toMatchObject({ details: { wanted: 'gpu' } });
  });

  test('a mistake of ours is INTERNAL to the caller and leaves the server serving', async () => {
    const server = await serve({
      planScatter: () => {
        throw new TypeError('undefined is not a function');
      },
      listWorkers: () => [],
    });
    const queries = new SchedulerQueries({ address: server.address, timeoutMs: 10_000 });
    closing.push(() => queries.close());

    await expect(queries.planScatter(1, 1, [])).rejects.toBeInstanceOf(InvariantError);
    expect(await queries.listWorkers()).toEqual([]);
  });

  test('a function is run on workers, with its outcomes of both kinds', async () => {
    const request: RunRequest = {
      function: { kind: 'preinstalled', module: 'm', exportName: 'f' },
      args: { encoding: 'json', data: new Uint8Array([91, 93]) },
      timeoutMs: 1500,
    };
    const outcomes = [
      {
        workerId: asWorkerId('a'),
        outcome: {
          type: 'run-success' as const,
          result: { encoding: 'bytes' as const, data: Buffer.from('x') },
        },
      },
      {
        workerId: asWorkerId('b'),
        outcome: { type: 'run-failure' as const, error: { code: 'TASK_FAILED', message: 'no', details: {} } },
      },
    ];
    let asked: unknown;
    const queries = await queriesTo({
      runOnWorkers: (got, workers) => {
        asked = { got, workers };
        return Promise.resolve(outcomes);
      },
    });

    expect(await queries.runOnWorkers(request, ['a', 'b'])).toMatchObject(outcomes);
    expect(asked).toMatchObject({ got: { timeoutMs: 1500 }, workers: ['a', 'b'] });
  });

  test('a call that is not answered ends at its deadline, and the handler hears that nobody waits', async () => {
    let heard: AbortSignal | undefined;
    const queries = await queriesTo({
      runOnWorkers: (_request, _workers, signal) => {
        heard = signal;
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        });
      },
    });
    const request: RunRequest = {
      function: { kind: 'preinstalled', module: 'm', exportName: 'f' },
      args: { encoding: 'json', data: new Uint8Array() },
      timeoutMs: false,
    };

    const late = queries.runOnWorkers(request, [], { timeoutMs: 100 });
    await expect(late).rejects.toBeInstanceOf(DeadlineExceededError);
    await new Promise<void>((resolve) => {
      if (heard?.aborted === true) resolve();
      heard?.addEventListener('abort', () => resolve());
    });

    const controller = new AbortController();
    const reason = new Error('changed my mind');
    const aborted = queries.runOnWorkers(request, [], { signal: controller.signal });
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
  });
});

describe('modules', () => {
  const bytes = randomBytes(3 * 1024 * 1024 + 17);
  const hash = asModuleHash(createHash('sha256').update(bytes).digest('hex'));

  test('are uploaded and fetched in pieces, under their hash', async () => {
    const queries = await queriesTo({});

    expect(await queries.hasModule(hash)).toBe(false);
    await queries.uploadModule(hash, bytes);
    expect(await queries.hasModule(hash)).toBe(true);
    expect(bytes.equals(await queries.fetchModule(hash))).toBe(true);
  });

  test('with other bytes than the hash says are refused and not stored', async () => {
    const scheduler = new TestScheduler();
    const server = await scheduler.serve();
    closing.push(() => server.close());
    const queries = new SchedulerQueries({ address: server.address, timeoutMs: 10_000 });
    closing.push(() => queries.close());

    await expect(queries.uploadModule(hash, bytes.subarray(1))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { field: 'module_hash' },
    });
    expect(scheduler.modules.size).toBe(0);
  });

  test('over the limit are refused while they arrive', async () => {
    const queries = await queriesTo({});

    const upload = queries.uploadModule(hash, Buffer.alloc(64 * 1024 * 1024 + 1));

    await expect(upload).rejects.toBeInstanceOf(LimitExceededError);
  });

  test('that nobody uploaded are FUNCTION_NOT_FOUND', async () => {
    const queries = await queriesTo({});

    await expect(queries.fetchModule(hash)).rejects.toBeInstanceOf(FunctionNotFoundError);
  });
});

describe('graphs of clients without a control stream', () => {
  const task = (key: string): spillway.v1.TaskSpec => ({
    key,
    function: { preinstalled: { module: 'm', exportName: 'f' } },
    args: { encoding: wire.Encoding.ENCODING_JSON, data: Buffer.from('[]') },
    dependencies: [],
    priority: 0,
    retries: 0,
    workers: [],
    allowOtherWorkers: false,
    resultEncoding: wire.Encoding.ENCODING_UNSPECIFIED,
  });
  const part = (
    keys: string[],
    first: Partial<spillway.v1.SubmitGraphRequest> = {},
  ): spillway.v1.SubmitGraphRequest => ({
    clientId: '',
    submissionId: '',
    wants: [],
    tasks: keys.map(task),
    ...first,
  });
  const submit = (caller: Caller, parts: spillway.v1.SubmitGraphRequest[]): Promise<unknown> =>
    caller.clientStream(
      methods.submitGraph,
      { codec: wire.SubmitGraphRequest, parts },
      wire.SubmitGraphResponse,
    );

  test('arrive in parts, with who wants what', async () => {
    const got: { clientId?: unknown; submissionId?: unknown; wants?: unknown; parts: string[][] } = {
      parts: [],
    };
    const server = await serve({
      submitGraph: async (clientId, submissionId, parts: AsyncIterable<readonly TaskSpec[]>, wants) => {
        Object.assign(got, { clientId, submissionId, wants });
        for await (const tasks of parts) got.parts.push(tasks.map(({ key }) => key));
      },
    });

    const first = { clientId: 'py-1', submissionId: 'g-1', wants: ['c'] };
    await submit(callerTo(server), [part(['a', 'b'], first), part(['c']), part([])]);

    expect(got).toEqual({
      clientId: asClientId('py-1'),
      submissionId: asSubmissionId('g-1'),
      wants: [asTaskKey('c')],
      parts: [['a', 'b'], ['c'], []],
    });
  });

  test('that are no graphs are refused with INVALID_ARGUMENT and the reason', async () => {
    const server = await serve({
      submitGraph: async (_clientId, _submissionId, parts) => {
        await drain(parts);
        throw new InvalidGraphError('a and b need each other.', { details: { key: 'a' } });
      },
    });

    const submitted = submit(callerTo(server), [part(['a'], { clientId: 'c', submissionId: 's' })]);

    await expect(submitted).rejects.toMatchObject({ code: 'INVALID_GRAPH', details: { key: 'a' } });
  });

  test('with a bad task in a later part name the field', async () => {
    const server = await serve({
      submitGraph: async (_clientId, _submissionId, parts) => {
        await drain(parts);
      },
    });

    const submitted = submit(callerTo(server), [
      part(['a'], { clientId: 'c', submissionId: 's' }),
      part(['b', '']),
    ]);

    await expect(submitted).rejects.toMatchObject({ details: { field: 'tasks[1].key' } });
  });

  test('are waited for, released, cancelled and closed', async () => {
    const said: unknown[] = [];
    const server = await serve({
      waitForKeys: (clientId, keys) => {
        said.push(['wait', clientId]);
        return Promise.resolve([
          { key: keys[0] ?? asTaskKey('?'), state: 'memory' },
          {
            key: keys[1] ?? asTaskKey('?'),
            state: 'erred',
            error: { code: 'TASK_FAILED', message: 'no', details: {} },
          },
        ]);
      },
      releaseKeys: (clientId, keys) => said.push(['release', clientId, keys]),
      cancelKeys: (clientId, keys, force) => said.push(['cancel', clientId, keys, force]),
      closeClient: (clientId) => said.push(['close', clientId]),
    });
    const caller = callerTo(server);
    const clientId = 'py-1';

    const { outcomes } = await caller.unary(
      methods.waitForKeys,
      { codec: wire.WaitForKeysRequest, message: { clientId, keys: ['a', 'b'] } },
      wire.WaitForKeysResponse,
    );
    await caller.unary(
      methods.releaseKeys,
      { codec: wire.ReleaseKeysRequest, message: { clientId, keys: ['a'] } },
      wire.ReleaseKeysResponse,
    );
    await caller.unary(
      methods.cancelKeys,
      { codec: wire.CancelKeysRequest, message: { clientId, keys: ['b'], force: true } },
      wire.CancelKeysResponse,
    );
    await caller.unary(
      methods.closeClient,
      { codec: wire.CloseClientRequest, message: { clientId } },
      wire.CloseClientResponse,
    );

    expect(outcomes).toMatchObject([
      { key: 'a', state: wire.SchedulerTaskState.SCHEDULER_TASK_STATE_MEMORY },
      { key: 'b', state: wire.SchedulerTaskState.SCHEDULER_TASK_STATE_ERRED, error: { code: 'TASK_FAILED' } },
    ]);
    expect(said).toEqual([
      ['wait', 'py-1'],
      ['release', 'py-1', ['a']],
      ['cancel', 'py-1', ['b'], true],
      ['close', 'py-1'],
    ]);
  });
});
