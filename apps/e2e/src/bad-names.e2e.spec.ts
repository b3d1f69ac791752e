import { randomUUID } from 'node:crypto';
import { InvalidArgumentError, preinstalled, type Client, type LocalCluster } from '@spillway/client';
import { loadWork, startCluster } from './clusters.js';
import { Bystander } from './testing/bystander.js';
import { ForeignClient, rejection, SCHEDULER, type Wire } from './testing/foreign-client.js';
import { aClient, json, outcomesOf, submit, task } from './testing/tasks-on-the-wire.js';

/** Arguments, keys and names that are hostile: they are names like any other, or who gave them is told. */
let cluster: LocalCluster;
let client: Client;
let work: Awaited<ReturnType<typeof loadWork>>;
let foreign: ForeignClient;
let bystander: Bystander;
const log: string[] = [];
beforeAll(async () => {
  cluster = await startCluster({ validate: true, onLog: (text) => log.push(text) });
  client = await cluster.connect();
  work = await loadWork(client);
  foreign = new ForeignClient(cluster.address);
  bystander = await Bystander.of(cluster);
}, 60_000);
afterAll(async () => {
  foreign[Symbol.dispose]();
  await bystander[Symbol.asyncDispose]();
  await client.close();
  await cluster.close();
});

const refused = (code: string, reason: string): Wire => ({ code, reason, domain: 'spillway' });

describe('arguments and names', () => {
  test('an oversize inline argument is moved to the store by our client', async () => {
    const text = 'long '.repeat(200_000);
    expect(await client.submit((value: string) => value.length, text).result()).toBe(1_000_000);
    const error = await client.submit(work.refuse, Infinity).exception();
    expect(error?.code).toBe('TASK_FAILED');
  });

  test('arguments that do not decode err their task', async () => {
    const me = aClient();
    const broken = [
      { ...task('bad-json', 'add', []), args: { encoding: 'ENCODING_JSON', data: Buffer.from('{"a":') } },
      { ...task('no-array', 'add', []), args: json({ a: 1 }) },
      { ...task('bad-v8', 'add', []), args: { encoding: 'ENCODING_V8', data: Buffer.from([1, 2, 3]) } },
      task('bad-index', 'add', [{ $dependency: 7 }]),
    ];
    const keys = broken.map(({ key }) => key as string);
    await submit(foreign, me, [broken], keys);
    for (const outcome of await outcomesOf(foreign, me, keys)) {
      expect(outcome.state).toBe('SCHEDULER_TASK_STATE_ERRED');
      expect(outcome.error?.code).toBe('VALUE_NOT_DECODABLE');
    }
  });

  test.each([
    ['../../etc/passwd'],
    ['a\u0000b\nc\u001b[31m'],
    ['__proto__'],
    ['constructor'],
    ['x'.repeat(1024)],
    ['🙂 é %2F'],
  ])('the key %j is a name like any other', async (key) => {
    const future = client.with({ key }).submit(work.ones, 2000);
    expect(await client.submit(work.total, future).result({ timeout: '10s' })).toBe(2000);
    expect((await future.result({ timeout: '10s' })).length).toBe(2000);
    expect((await client.whoHas([future])).get(key)).toHaveLength(1);
    future.release();
  });

  test('keys that are too long, empty or no text are refused where they are made', () => {
    for (const key of ['k'.repeat(10_000), '', 'half \ud83d of a pair'])
      expect(() => client.with({ key })).toThrow(InvalidArgumentError);
  });

  test.each([['🙂'.repeat(512)], [`x${'🙂'.repeat(511)}`]])(
    'an error about a long key of surrogate pairs is cut and still arrives',
    async (key) => {
      const me = aClient();
      const error = await rejection(
        submit(foreign, me, [[task(key, 'add', [1]), task(key, 'add', [2])]], [key]),
      );
      expect(error).toMatchObject(refused('ALREADY_EXISTS', 'KEY_CONFLICT'));
    },
  );

  test('an error whose text ends in half of a surrogate pair costs no worker', async () => {
    const error = await client
      .submit(work.refuseWith, 'a smile cut short: \ud83d')
      .exception({ timeout: '10s' });
    expect(error?.code).toBe('TASK_FAILED');
    expect(error?.message).toContain('a smile cut short: \ufffd');
  });

  test.each([
    ['workers', () => client.with({ workers: [''] })],
    ['workers', () => client.with({ workers: ['half \ud83d'] })],
    ['retries', () => client.with({ retries: 1e12 })],
    ['module', () => preinstalled('', 'add')],
    ['export', () => preinstalled('demo', 'half \ud83d')],
  ])('what the scheduler would refuse as %s is refused where it is made', (_, make) => {
    expect(make).toThrow(InvalidArgumentError);
  });

  test('a key that is not UTF-8 is refused, not read as another one', async () => {
    const fields = [
      [0x0a, [...Buffer.from('bad-utf8')]],
      [0x12, [...Buffer.from(randomUUID())]],
      [0x22, [0x0a, 0x03, 0x61, 0xff, 0x62]],
    ] as const;
    const request = Buffer.from(fields.flatMap(([tag, bytes]) => [tag, bytes.length, ...bytes]));
    expect(await rejection(foreign.send(SCHEDULER, 'SubmitGraph', [request]))).toMatchObject(
      refused('INVALID_ARGUMENT', 'INVALID_ARGUMENT'),
    );
    const describe = Buffer.from([0x0a, 0x03, 0x61, 0xff, 0x62]);
    expect(await rejection(foreign.call(SCHEDULER, 'DescribeKeys', describe))).toMatchObject(
      refused('INVALID_ARGUMENT', 'INVALID_ARGUMENT'),
    );
  });
});

test('the innocent noticed nothing, the programs are the same, and nothing was logged as an error', async () => {
  const { roundCount } = await bystander.stop();
  expect(roundCount).toBeGreaterThan(0);
  const lines = log.join('').split('\n').filter(Boolean);
  expect(lines.filter((line) => /"level":"?(error|fatal|50|60)/.test(line))).toEqual([]);
}, 30_000);
