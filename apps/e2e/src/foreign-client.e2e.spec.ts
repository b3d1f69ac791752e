import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { LocalCluster } from '@spillway/client';
import { TempFolder } from '@spillway/testkit';
import { startCluster } from './clusters.js';
import {
  DATA,
  ForeignClient,
  HEALTH,
  rejection,
  RELAY,
  SCHEDULER,
  type Wire,
} from './testing/foreign-client.js';
import { until } from './testing/processes.js';
import { aClient, demo, json, outcomesOf, submit, task } from './testing/tasks-on-the-wire.js';

/** Everything that a client in another language can do with the `.proto` files alone: preinstalled functions and JSON. */
let cluster: LocalCluster;
let foreign: ForeignClient;
beforeAll(async () => {
  cluster = await startCluster({ validate: true, settings: { 'scheduler.client-lease': '400ms' } });
  foreign = new ForeignClient(cluster.address);
}, 60_000);
afterAll(async () => {
  foreign[Symbol.dispose]();
  await cluster.close();
});

interface Step {
  readonly start: { readonly encoding: string; readonly size_bytes: string } | null;
  readonly chunk?: Buffer | null;
}

/** The value of one key out of an answer to FetchValues or RelayFetch. */
function valueIn(answers: readonly Wire[]): { readonly encoding: string; readonly value: unknown } {
  const steps = answers.flatMap(({ steps: some }) => some as Step[]);
  const bytes = Buffer.concat(steps.flatMap(({ chunk }) => (chunk ? [chunk] : [])));
  expect(bytes).toHaveLength(Number(steps[0]?.start?.size_bytes));
  return { encoding: steps[0]?.start?.encoding ?? '', value: JSON.parse(bytes.toString('utf8')) };
}

async function holderOf(key: string): Promise<{ readonly worker_id: string; readonly address: string }> {
  const { keys } = await foreign.call(SCHEDULER, 'DescribeKeys', { keys: [key] });
  const [info] = keys as [{ state: string; who_has: { worker_id: string; address: string }[] }];
  expect(info.state).toBe('SCHEDULER_TASK_STATE_MEMORY');
  return info.who_has[0]!;
}

async function fetched(key: string): Promise<ReturnType<typeof valueIn>> {
  using worker = new ForeignClient((await holderOf(key)).address);
  return valueIn(await worker.listen(DATA, 'FetchValues', { keys: [key] }).all());
}

const stateOf = async (key: string): Promise<string> => {
  const { keys } = await foreign.call(SCHEDULER, 'DescribeKeys', { keys: [key] });
  return (keys as { state: string }[])[0]!.state;
};

describe('a graph', () => {
  test('with results of tasks as arguments of others runs, and its results are fetched as JSON', async () => {
    const me = aClient();
    const tasks = [
      task('left', 'add', [1, 2]),
      task('right', 'add', [3, 4]),
      task('both', 'total', [[{ $dependency: 0 }, { $dependency: 1 }, 100]], {
        dependencies: ['left', 'right'],
      }),
      task('text', 'text', [100_000]),
      task('nested', 'describe', [[{ deep: { $dependency: 0 } }]], {
        dependencies: ['both'],
        result_encoding: 'ENCODING_JSON',
      }),
    ];
    await submit(foreign, me, [tasks.slice(0, 2), tasks.slice(2)], ['both', 'text', 'nested']);
    const outcomes = await outcomesOf(foreign, me, ['nested', 'both', 'text']);
    expect(outcomes.map(({ key, state }) => [key, state])).toEqual([
      ['nested', 'SCHEDULER_TASK_STATE_MEMORY'],
      ['both', 'SCHEDULER_TASK_STATE_MEMORY'],
      ['text', 'SCHEDULER_TASK_STATE_MEMORY'],
    ]);
    expect(await fetched('both')).toEqual({ encoding: 'json', value: 110 });
    expect(await fetched('nested')).toEqual({ encoding: 'json', value: { count: 1, first: { deep: 110 } } });
    expect((await fetched('text')).value).toHaveLength(100_000);
    const { worker_id: workerId } = await holderOf('text');
    const relayed = await foreign.listen(RELAY, 'RelayFetch', { worker_id: workerId, keys: ['text'] }).all();
    expect(valueIn(relayed)).toEqual(await fetched('text'));
    await foreign.call(SCHEDULER, 'CloseClient', { client_id: me });
    for (const key of ['left', 'right', 'both', 'text', 'nested'])
      expect(await stateOf(key)).toBe('SCHEDULER_TASK_STATE_FORGOTTEN');
  });

  test('whose task throws tells so, with the message and the code', async () => {
    const me = aClient();
    await submit(foreign, me, [[task('thrown', 'fail', ['out of paper'])]], ['thrown']);
    const [outcome] = await outcomesOf(foreign, me, ['thrown']);
    expect(outcome).toMatchObject({ state: 'SCHEDULER_TASK_STATE_ERRED', error: { code: 'TASK_FAILED' } });
    expect(JSON.stringify(outcome)).toContain('out of paper');
    await foreign.call(SCHEDULER, 'CloseClient', { client_id: me });
  });

  test('a scattered value is put on a worker, through the relay too, and used by tasks', async () => {
    const plan = await foreign.call(SCHEDULER, 'PlanScatter', { nbytes: '7', copies: 1 });
    const [holder] = plan['holders'] as [{ worker_id: string; address: string }];
    const start = { key: 'put', encoding: 'json', size_bytes: '7' };
    const put = await foreign.send(RELAY, 'RelayPut', [
      { start, worker_id: holder.worker_id },
      { chunk: Buffer.from('[1,2,3]') },
    ]);
    expect(put).toEqual({ size_bytes: '7' });
    const me = aClient();
    const holders = [holder.worker_id];
    await foreign.call(SCHEDULER, 'RegisterData', { client_id: me, key: 'put', nbytes: '7', holders });
    const total = task('put-total', 'total', [{ $dependency: 0 }], { dependencies: ['put'] });
    await submit(foreign, me, [[total]], ['put-total']);
    await outcomesOf(foreign, me, ['put-total']);
    expect((await fetched('put-total')).value).toBe(6);
    expect((await fetched('put')).value).toEqual([1, 2, 3]);
    await foreign.call(SCHEDULER, 'CloseClient', { client_id: me });
  });

  test('released keys are forgotten, those of others stay', async () => {
    const [me, other] = [aClient(), aClient()];
    await submit(foreign, me, [[task('mine', 'add', [1, 1]), task('ours', 'add', [2, 2])]], ['mine', 'ours']);
    await outcomesOf(foreign, me, ['mine', 'ours']);
    await submit(foreign, other, [[task('ours', 'add', [2, 2])]], ['ours']);
    await foreign.call(SCHEDULER, 'ReleaseKeys', { client_id: me, keys: ['mine', 'ours'] });
    expect(await stateOf('mine')).toBe('SCHEDULER_TASK_STATE_FORGOTTEN');
    expect(await stateOf('ours')).toBe('SCHEDULER_TASK_STATE_MEMORY');
    await foreign.call(SCHEDULER, 'CloseClient', { client_id: other });
    expect(await stateOf('ours')).toBe('SCHEDULER_TASK_STATE_FORGOTTEN');
  });
});

describe('waiting', () => {
  test('holds the lease for as long as it lasts, whatever else the client asks meanwhile', async () => {
    await using folder = await TempFolder.create();
    const me = aClient();
    await submit(
      foreign,
      me,
      [[task('stays', 'stay', []), task('quick', 'add', [1, 1])]],
      ['stays', 'quick'],
    );
    const long = outcomesOf(foreign, me, ['stays']);
    // A second wait that ends must not end the lease which the first one holds. Another client's lease shows that it would have.
    await outcomesOf(foreign, me, ['quick']);
    const passing = aClient();
    await submit(foreign, passing, [[task('passing', 'note', [folder.join('ran'), 'x'])]], ['passing']);
    await outcomesOf(foreign, passing, ['passing']);
    await until(async () => (await stateOf('passing')) === 'SCHEDULER_TASK_STATE_FORGOTTEN');
    expect(await readFile(folder.join('ran'), 'utf8')).toBe('x\n');
    expect(await stateOf('stays')).toBe('SCHEDULER_TASK_STATE_PROCESSING');
    await foreign.call(SCHEDULER, 'CancelKeys', { client_id: me, keys: ['stays'], force: false });
    expect(await long).toMatchObject([{ key: 'stays', state: 'SCHEDULER_TASK_STATE_FORGOTTEN' }]);
  });

  test('ends when the client closes from elsewhere', async () => {
    const me = aClient();
    await submit(foreign, me, [[task('closing', 'stay', [])]], ['closing']);
    const wait = outcomesOf(foreign, me, ['closing']);
    await until(async () => (await stateOf('closing')) === 'SCHEDULER_TASK_STATE_PROCESSING');
    await foreign.call(SCHEDULER, 'CloseClient', { client_id: me });
    expect(await wait).toMatchObject([{ key: 'closing', state: 'SCHEDULER_TASK_STATE_FORGOTTEN' }]);
  });

  test('for a key that nobody knows ends at once', async () => {
    expect(await outcomesOf(foreign, aClient(), [`unknown-${randomUUID()}`])).toMatchObject([
      { state: 'SCHEDULER_TASK_STATE_FORGOTTEN' },
    ]);
  });

  test('ends at the deadline, and the task with the lease', async () => {
    const me = aClient();
    await submit(foreign, me, [[task('endless', 'stay', [])]], ['endless']);
    const request = { client_id: me, keys: ['endless'] };
    expect(await rejection(foreign.call(SCHEDULER, 'WaitForKeys', request, 200))).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    await until(async () => (await stateOf('endless')) === 'SCHEDULER_TASK_STATE_FORGOTTEN');
  });
});

describe('questions', () => {
  test('workers are listed in pages', async () => {
    const first = await foreign.call(SCHEDULER, 'ListWorkers', { page_size: 1 });
    expect(first['workers']).toHaveLength(1);
    const second = await foreign.call(SCHEDULER, 'ListWorkers', {
      page_size: 1,
      page_token: first['next_page_token'],
    });
    expect(second['workers']).toHaveLength(1);
    expect(second['next_page_token']).toBe('');
    const all = await foreign.call(SCHEDULER, 'ListWorkers', {});
    expect(all['workers']).toMatchObject(
      [...(first['workers'] as Wire[]), ...(second['workers'] as Wire[])].map((worker) => ({
        name: worker['name'],
        status: 'WORKER_STATUS_RUNNING',
      })),
    );
    for (const request of [{ page_size: -1 }, { page_token: '../2' }])
      expect(await rejection(foreign.call(SCHEDULER, 'ListWorkers', request))).toMatchObject({
        reason: 'INVALID_ARGUMENT',
      });
  });

  test('what a worker holds is listed in pages', async () => {
    const me = aClient();
    const keys = ['p1', 'p2', 'p3', 'p4', 'p5'];
    await submit(foreign, me, [keys.map((key) => task(key, 'add', [1, 1]))], keys);
    await outcomesOf(foreign, me, keys);
    const { workers } = await foreign.call(SCHEDULER, 'ListWorkers', {});
    const found: string[] = [];
    for (const { worker_id } of workers as { worker_id: string }[])
      for (let token: string | undefined; token !== '';) {
        const page = await foreign.call(SCHEDULER, 'HasWhat', {
          worker_id,
          page_size: 2,
          page_token: token ?? '',
        });
        const holdings = page['holdings'] as { key: string; nbytes: string }[];
        expect(holdings.length).toBeLessThanOrEqual(2);
        found.push(...holdings.map(({ key }) => key));
        token = page['next_page_token'] as string;
      }
    expect(found.filter((key) => keys.includes(key)).sort()).toEqual(keys);
    await foreign.call(SCHEDULER, 'CloseClient', { client_id: me });
  });

  test('a function runs on all workers at once', async () => {
    const request = { function: demo('add'), args: json([20, 1]), timeout: { seconds: '5' } };
    const { outcomes } = await foreign.call(SCHEDULER, 'RunOnWorkers', { request });
    const results = (outcomes as { outcome: { result: { encoding: string; data: Buffer } } }[]).map(
      ({ outcome }) => [outcome.result.encoding, outcome.result.data.toString()],
    );
    expect(results).toEqual([
      ['ENCODING_JSON', '21'],
      ['ENCODING_JSON', '21'],
    ]);
  });

  test('health is told when asked, and when it changes', async () => {
    for (const service of ['', SCHEDULER, RELAY])
      expect(await foreign.call(HEALTH, 'Check', { service })).toEqual({ status: 'SERVING' });
    expect(await rejection(foreign.call(HEALTH, 'Check', { service: 'nobody' }))).toMatchObject({
      code: 'NOT_FOUND',
    });
    await using own = await startCluster({ workers: 1 });
    using other = new ForeignClient(own.address);
    const watch = other.listen(HEALTH, 'Watch', { service: SCHEDULER });
    expect(await watch.next()).toEqual({ status: 'SERVING' });
    const closing = own.close();
    expect(await watch.next()).toEqual({ status: 'NOT_SERVING' });
    await closing;
  }, 30_000);

  test('reflection lists the services', async () => {
    const conversation = foreign.converse('grpc.reflection.v1.ServerReflection', 'ServerReflectionInfo', {
      list_services: '',
    });
    const answer = await conversation.next();
    const { service } = answer['list_services_response'] as { service: { name: string }[] };
    expect(service.map(({ name }) => name).sort()).toEqual(expect.arrayContaining([RELAY, SCHEDULER]));
    conversation.hangUp();
  });
});
