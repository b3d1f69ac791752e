import { randomUUID } from 'node:crypto';
import type { Client, LocalCluster } from '@spillway/client';
import { loadWork, startCluster } from './clusters.js';
import { Bystander } from './testing/bystander.js';
import { FakeWorker } from './testing/fake-worker.js';
import {
  DATA,
  ForeignClient,
  methodsOf,
  rejection,
  RELAY,
  SCHEDULER,
  type ForeignConversation,
  type Wire,
} from './testing/foreign-client.js';
import { until } from './testing/processes.js';
import {
  aClient,
  clientHello,
  nannyHello,
  opening,
  submit,
  task,
  workerHello,
} from './testing/tasks-on-the-wire.js';

/** Bytes and messages that break the protocol: the connection that sent them ends, and nobody else notices. */
let cluster: LocalCluster;
let client: Client;
let work: Awaited<ReturnType<typeof loadWork>>;
let foreign: ForeignClient;
let bystander: Bystander;
let workerAddress: string;
const log: string[] = [];
beforeAll(async () => {
  cluster = await startCluster({ validate: true, onLog: (text) => log.push(text) });
  client = await cluster.connect();
  work = await loadWork(client);
  foreign = new ForeignClient(cluster.address);
  workerAddress = (await client.workers())[0]!.address;
  bystander = await Bystander.of(cluster);
}, 60_000);
afterAll(async () => {
  foreign[Symbol.dispose]();
  await bystander[Symbol.asyncDispose]();
  await client.close();
  await cluster.close();
});

const NO_MESSAGE = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x07]);
const INVALID = { code: 'INVALID_ARGUMENT', reason: 'INVALID_ARGUMENT', domain: 'spillway' };
const OVER_LIMIT = { code: 'RESOURCE_EXHAUSTED' };
const TOO_LARGE = Buffer.alloc(17 * 1024 * 1024);
/** 2^53 + 1, which JavaScript reads as 2^53. */
const TOO_MUCH = '9007199254740993';

const STREAMS = [
  ['OpenClient', clientHello],
  ['OpenWorker', workerHello],
  ['OpenNanny', nannyHello],
] as const;

/** A control stream whose first words were accepted. */
async function welcomed(stream: string, hello: Wire): Promise<ForeignConversation> {
  const conversation = foreign.converse(SCHEDULER, stream, opening(hello));
  expect((await conversation.next())['welcome']).toMatchObject({ resumed: false, received: '0' });
  return conversation;
}

describe('bytes that are no message', () => {
  const calls = [SCHEDULER, RELAY].flatMap((service) =>
    methodsOf(service)
      .filter(({ isControl }) => !isControl)
      .map(({ name }) => [service, name] as const),
  );

  test.each(calls)('are refused by %s.%s', async (service, name) => {
    const isFromMany = ['SubmitGraph', 'UploadModule', 'RelayPut'].includes(name);
    const isToMany = ['FetchModule', 'RelayFetch'].includes(name);
    const error = isToMany
      ? await foreign.listen(service, name, NO_MESSAGE).end()
      : await rejection(
          isFromMany ? foreign.send(service, name, [NO_MESSAGE]) : foreign.call(service, name, NO_MESSAGE),
        );
    expect(error).toMatchObject(INVALID);
  });

  test('are refused by a worker, whose values stay', async () => {
    using toWorker = new ForeignClient(workerAddress);
    expect(await toWorker.listen(DATA, 'FetchValues', NO_MESSAGE).end()).toMatchObject(INVALID);
    expect(await rejection(toWorker.send(DATA, 'PutValue', [NO_MESSAGE]))).toMatchObject(INVALID);
    expect(await rejection(toWorker.send(DATA, 'PutValue', [{ chunk: Buffer.from('x') }]))).toMatchObject(
      INVALID,
    );
    const huge = { start: { key: 'huge', encoding: 'bytes', size_bytes: '1152921504606846976' } };
    expect((await rejection(toWorker.send(DATA, 'PutValue', [huge]))).reason).toMatch(
      /INVALID_ARGUMENT|LIMIT_EXCEEDED/,
    );
    const short = [
      { start: { key: 'short', encoding: 'bytes', size_bytes: '10' } },
      { chunk: Buffer.from('x') },
    ];
    expect(await rejection(toWorker.send(DATA, 'PutValue', short))).toMatchObject(INVALID);
    const [answer] = await toWorker.listen(DATA, 'FetchValues', { keys: ['short'] }).all();
    expect(answer).toMatchObject({ steps: [{ missing: { key: 'short' } }] });
  });

  test.each(STREAMS)('end %s, as first words and later', async (stream, hello) => {
    expect(await foreign.converse(SCHEDULER, stream, NO_MESSAGE).end()).toMatchObject(INVALID);
    const conversation = await welcomed(stream, hello());
    conversation.say(NO_MESSAGE);
    expect(await conversation.end()).toMatchObject(INVALID);
  });
});

describe('messages over the limit', () => {
  test('are refused on calls', async () => {
    expect(await rejection(foreign.call(SCHEDULER, 'DescribeKeys', TOO_LARGE))).toMatchObject(OVER_LIMIT);
    expect(await rejection(foreign.send(SCHEDULER, 'SubmitGraph', [TOO_LARGE]))).toMatchObject(OVER_LIMIT);
    using toWorker = new ForeignClient(workerAddress);
    expect(await rejection(toWorker.send(DATA, 'PutValue', [TOO_LARGE]))).toMatchObject(OVER_LIMIT);
  });

  test.each(STREAMS)('end %s', async (stream, hello) => {
    const conversation = await welcomed(stream, hello());
    conversation.say(TOO_LARGE);
    expect(await conversation.end()).toMatchObject(OVER_LIMIT);
  });

  test('are refused when there are too many things in them', async () => {
    const keys = Array.from({ length: 10_001 }, (_, index) => `k${index}`);
    expect(await rejection(foreign.call(SCHEDULER, 'DescribeKeys', { keys }))).toMatchObject({
      ...OVER_LIMIT,
      reason: 'LIMIT_EXCEEDED',
    });
  });
});

describe('first words', () => {
  test.each(STREAMS)('of another protocol are refused by %s with VERSION_MISMATCH', async (stream, hello) => {
    const first = opening(hello({ protocol: { major: 2, minor: 0 } }));
    const error = await foreign.converse(SCHEDULER, stream, first).end();
    expect(error).toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'VERSION_MISMATCH',
      domain: 'spillway',
    });
    const newer = foreign.converse(SCHEDULER, stream, opening(hello({ protocol: { major: 1, minor: 99 } })));
    expect(await newer.next()).toHaveProperty('welcome');
    newer.hangUp();
  });

  test.each(STREAMS)('that are missing or incomplete are refused by %s', async (stream, hello) => {
    const wrong: readonly Wire[] = [
      {},
      { seq: '1', messages: [] },
      { hello: hello() },
      { opening: { nonce: 'n', epoch: '', received: '0' } },
      opening(hello({ protocol: null })),
      opening({}),
      opening(hello(), { nonce: '' }),
      opening(hello(), { received: '5' }),
      opening(hello(), { received: TOO_MUCH }),
    ];
    for (const first of wrong)
      expect(await foreign.converse(SCHEDULER, stream, first).end()).toMatchObject(INVALID);
  });

  test.each(STREAMS)(
    'of a session that %s does not know are refused with SESSION_EXPIRED',
    async (stream, hello) => {
      const error = await foreign
        .converse(SCHEDULER, stream, opening(hello(), { epoch: randomUUID() }))
        .end();
      expect(error).toMatchObject({ code: 'ABORTED', reason: 'SESSION_EXPIRED', domain: 'spillway' });
    },
  );

  test.each(STREAMS)(
    'that were refused are not made good by others on the same %s',
    async (stream, hello) => {
      const id = clientHello();
      const conversation = foreign.converse(
        SCHEDULER,
        stream,
        {},
        opening(stream === 'OpenClient' ? id : hello()),
      );
      expect(await conversation.end()).toMatchObject(INVALID);
    },
  );
});

describe('sessions', () => {
  test.each([
    ['a gap in the numbers', { seq: '2', messages: [{ client_closing: {} }] }],
    ['messages without a number', { seq: '0', messages: [{ client_closing: {} }] }],
    ['a number beyond 2^53', { seq: TOO_MUCH, messages: [] }],
    ['an acknowledgement of what was never sent', { seq: '1', ack: '1000' }],
    ['a message without a body', { seq: '1', messages: [{}] }],
  ])('%s ends the session', async (_, batch) => {
    const conversation = await welcomed('OpenClient', clientHello());
    conversation.say(batch);
    expect(await conversation.end()).toMatchObject(INVALID);
  });

  test('a graph whose parts come out of order is refused, and the session goes on', async () => {
    const hello = clientHello();
    const conversation = await welcomed('OpenClient', hello);
    const part = (submission: string, index: number, key: string): Wire => ({
      graph_part: {
        submission_id: submission,
        part_index: index,
        tasks: [task(key, 'add', [1, 2], { workers: bystander.workerNames })],
      },
    });
    const commit = (submission: string, count: number, wants: readonly string[]): Wire => ({
      graph_commit: { submission_id: submission, part_count: count, wants },
    });
    const answers = async (): Promise<Wire[]> => {
      for (;;) {
        const messages = (await conversation.next())['messages'] as Wire[];
        if (messages.length > 0) return messages;
      }
    };

    conversation.say({
      seq: '1',
      messages: [part('gap', 1, 'gap-1'), part('gap', 0, 'gap-0'), commit('gap', 2, ['gap-0'])],
    });
    expect(await answers()).toMatchObject([
      { graph_refused: { submission_id: 'gap', error: { code: 'INVALID_ARGUMENT' } } },
    ]);
    conversation.say({ seq: '2', messages: [part('few', 0, 'few-0'), commit('few', 2, ['few-0'])] });
    expect(await answers()).toMatchObject([
      { graph_refused: { submission_id: 'few', error: { code: 'INVALID_ARGUMENT' } } },
    ]);
    conversation.say({ seq: '3', messages: [commit('none', 1, [])] });
    expect(await answers()).toMatchObject([{ graph_refused: { submission_id: 'none' } }]);

    // Workers of other tests may still be in their grace period: only real ones are asked to run it.
    const right = `right-${randomUUID()}`;
    conversation.say({ seq: '4', messages: [part('right', 0, right), commit('right', 1, [right])] });
    const said = [...(await answers())];
    while (!said.some((message) => message['body'] === 'key_in_memory')) said.push(...(await answers()));
    expect(said[0]).toMatchObject({ graph_accepted: { submission_id: 'right' } });
    expect(said.at(-1)).toMatchObject({ key_in_memory: { key: right, inline: { data: Buffer.from('3') } } });
    conversation.hangUp();
  });
});

describe('numbers beyond 2^53 are refused, not rounded', () => {
  test('in calls', async () => {
    const plan = { nbytes: TOO_MUCH, copies: 1 };
    expect(await rejection(foreign.call(SCHEDULER, 'PlanScatter', plan))).toMatchObject({
      ...INVALID,
      fields: ['nbytes'],
    });
    const endless = task('endless', 'add', [], { timeout: { seconds: '9223372036854775807' } });
    expect(await rejection(submit(foreign, aClient(), [[endless]], ['endless']))).toMatchObject({
      ...INVALID,
      fields: ['tasks[0].timeout'],
    });
  });

  test('in what workers and clients say', async () => {
    const worker = await welcomed('OpenWorker', workerHello());
    worker.say({ seq: '1', messages: [{ replicas_added: { replicas: [{ key: 'k', nbytes: TOO_MUCH }] } }] });
    expect(await worker.end()).toMatchObject({
      ...INVALID,
      fields: ['messages[0].replicas_added.replicas[0].nbytes'],
    });
    const holding = opening(workerHello({ holdings: [{ key: 'k', nbytes: TOO_MUCH }] }));
    expect(await foreign.converse(SCHEDULER, 'OpenWorker', holding).end()).toMatchObject(INVALID);
    const scattering = await welcomed('OpenClient', clientHello());
    scattering.say({
      seq: '1',
      messages: [{ data_scattered: { key: 'k', nbytes: TOO_MUCH, holders: ['x'] } }],
    });
    expect(await scattering.end()).toMatchObject(INVALID);
  });
});

describe('workers that lie', () => {
  test('an answer of an old run is not taken for that of the present one', async () => {
    using fake = await FakeWorker.register(cluster.address, workerAddress);
    const options = { workers: [fake.name], retries: 1, resultEncoding: 'json' } as const;
    const future = client.with(options).submit(work.inc, 1);
    const first = await fake.told('compute-task');
    fake.say({
      type: 'task-erred',
      key: first.spec.key,
      runId: first.runId,
      error: { code: 'TASK_FAILED', message: 'once more', details: {} },
      mayRetry: true,
    });
    const second = await fake.told('compute-task');
    expect(second.spec.key).toBe(first.spec.key);
    expect(second.runId).not.toBe(first.runId);
    fake.finished(first.spec.key, first.runId, 'of the old run');
    fake.finished(first.spec.key, second.runId + 1000, 'of a run there never was');
    fake.finished(first.spec.key, second.runId, 'of this run');
    expect(await future.result({ timeout: '10s' })).toBe('of this run');
  });

  test('what a worker says of tasks it never got changes nothing', async () => {
    using fake = await FakeWorker.register(cluster.address, workerAddress);
    const real = { workers: bystander.workerNames };
    const running = client.with(real).submit(work.waitForAbort);
    const done = client.with(real).submit(work.ones, 1000);
    const failed = client.with(real).submit(work.refuse, 1);
    await client.wait([done, failed]);
    for (const { key } of [running, done, failed])
      for (const runId of [1, 2, 3]) {
        fake.finished(key, runId, 'a lie');
        fake.say({
          type: 'task-erred',
          key: key as never,
          runId: runId as never,
          error: { code: 'TASK_FAILED', message: 'a lie', details: {} },
          mayRetry: false,
        });
        fake.say({ type: 'task-handed-back', key: key as never, runId: runId as never, reason: 'a lie' });
      }
    fake.say({ type: 'replicas-lost', keys: [done.key as never, 'nobody knows' as never] });
    fake.say({
      type: 'run-done',
      requestId: 1,
      outcome: { type: 'run-failure', error: { code: 'X', message: 'a lie', details: {} } },
    });
    fake.finished('nobody knows', 1, 'a lie');
    // It is told to drop what it says it has: the answers to all of the above came before this one.
    for (let freed: readonly string[] = []; !freed.includes('nobody knows');)
      freed = (await fake.told('free-keys')).keys;

    const again = client.with(real).submit(work.total, done);
    expect(await again.result({ timeout: '10s' })).toBe(1000);
    expect((await failed.exception())?.code).toBe('TASK_FAILED');
    expect(running.status).toBe('pending');
    running.cancel();
  });

  test('a worker that claims a value and does not have it costs a detour, not the result', async () => {
    using fake = await FakeWorker.register(cluster.address, '127.0.0.1:1');
    const real = { workers: bystander.workerNames };
    const done = client.with(real).submit(work.ones, 2000);
    await client.wait([done]);
    fake.say({ type: 'replicas-added', replicas: [{ key: done.key as never, nbytes: 16_000 }] });
    await until(async () => (await client.whoHas([done])).get(done.key)?.length === 2);
    expect((await done.result({ timeout: '10s' })).length).toBe(2000);
    expect(await client.with(real).submit(work.total, done).result({ timeout: '10s' })).toBe(2000);
  }, 30_000);
});

test('the innocent noticed nothing, the programs are the same, and nothing was logged as an error', async () => {
  const { roundCount } = await bystander.stop();
  expect(roundCount).toBeGreaterThan(0);
  const lines = log.join('').split('\n').filter(Boolean);
  expect(lines.filter((line) => /"level":"?(error|fatal|50|60)/.test(line))).toEqual([]);
}, 30_000);
