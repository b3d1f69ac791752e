import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  FunctionCapturesError,
  UnknownWorkerError,
  preinstalled,
  type Client,
  type LocalCluster,
} from '@spillway/client';
import { loadWork, startCluster } from './clusters.js';
import { Bystander } from './testing/bystander.js';
import { ForeignClient, rejection, SCHEDULER, type Wire } from './testing/foreign-client.js';
import { aClient, bundled, json, outcomesOf, submit, task } from './testing/tasks-on-the-wire.js';

/** Graphs, functions and workers that are none: who asked is told, and nobody else notices. */
let cluster: LocalCluster;
let client: Client;
let work: Awaited<ReturnType<typeof loadWork>>;
let foreign: ForeignClient;
let bystander: Bystander;
let folder: string;
const log: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spillway-e2e-'));
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
  await rm(folder, { recursive: true });
});

const refused = (code: string, reason: string): Wire => ({ code, reason, domain: 'spillway' });

describe('functions that are not there', () => {
  test('a module that nobody installed errs its task with FUNCTION_NOT_FOUND', async () => {
    const error = await client.submit(preinstalled('nowhere', 'f')).exception();
    expect(error?.code).toBe('FUNCTION_NOT_FOUND');
    expect(error?.message).toContain('nowhere');
  });

  test('an export that a module does not have errs its task, and what depends on it, with FUNCTION_NOT_FOUND', async () => {
    const missing = client.submit(preinstalled<() => number>('demo', 'multiply'));
    const dependent = client.submit(work.inc, missing);
    expect((await missing.exception())?.code).toBe('FUNCTION_NOT_FOUND');
    const error = await dependent.exception();
    expect(error?.code).toBe('DEPENDENCY_FAILED');
    expect(error?.cause).toMatchObject({ code: 'FUNCTION_NOT_FOUND' });
  });

  test('a bundle that was never uploaded errs its task with FUNCTION_NOT_FOUND', async () => {
    const me = aClient();
    const hash = createHash('sha256').update('never uploaded').digest('hex');
    const one = { ...task('not-uploaded', 'add', [1, 2]), function: bundled(hash) };
    await submit(foreign, me, [[one]], ['not-uploaded']);
    const [outcome] = await outcomesOf(foreign, me, ['not-uploaded']);
    expect(outcome).toMatchObject({
      state: 'SCHEDULER_TASK_STATE_ERRED',
      error: { code: 'FUNCTION_NOT_FOUND' },
    });
  });

  test('a bundle that does not match its hash is refused, and is not stored under either hash', async () => {
    const bytes = Buffer.from('export const inc = (x) => x + 1;');
    const said = createHash('sha256').update('something else').digest('hex');
    const error = await rejection(
      foreign.send(SCHEDULER, 'UploadModule', [{ module_hash: said, chunk: bytes }]),
    );
    expect(error).toMatchObject({
      ...refused('INVALID_ARGUMENT', 'INVALID_ARGUMENT'),
      fields: ['module_hash'],
    });
    for (const hash of [said, createHash('sha256').update(bytes).digest('hex')])
      expect(await foreign.call(SCHEDULER, 'HasModule', { module_hash: hash })).toEqual({ stored: false });
    expect(
      await rejection(foreign.call(SCHEDULER, 'HasModule', { module_hash: '../../etc/passwd' })),
    ).toMatchObject({
      ...refused('INVALID_ARGUMENT', 'INVALID_ARGUMENT'),
      fields: ['module_hash'],
    });
    const fetch = foreign.listen(SCHEDULER, 'FetchModule', { module_hash: said });
    expect(await fetch.end()).toMatchObject(refused('NOT_FOUND', 'FUNCTION_NOT_FOUND'));
  });

  test('a bundle over the limit is refused while it is being sent', async () => {
    const chunk = Buffer.alloc(1024 * 1024);
    const pieces = Array.from({ length: 66 }, () => ({ module_hash: 'a'.repeat(64), chunk }));
    expect(await rejection(foreign.send(SCHEDULER, 'UploadModule', pieces))).toMatchObject(
      refused('RESOURCE_EXHAUSTED', 'LIMIT_EXCEEDED'),
    );
  });

  test('a bundle that is no JavaScript errs its task with MODULE_NOT_LOADABLE', async () => {
    const bytes = Buffer.from('export const = ;');
    const hash = createHash('sha256').update(bytes).digest('hex');
    await foreign.send(SCHEDULER, 'UploadModule', [{ module_hash: hash, chunk: bytes }]);
    const me = aClient();
    await submit(
      foreign,
      me,
      [[{ ...task('no-javascript', 'add', []), function: bundled(hash) }]],
      ['no-javascript'],
    );
    const [outcome] = await outcomesOf(foreign, me, ['no-javascript']);
    expect(outcome?.error?.code).toBe('MODULE_NOT_LOADABLE');
  });

  test('an inline function that captures a variable is refused by name', () => {
    const offset = Date.now();
    expect(() => client.submit((x: number) => x + offset, 1)).toThrow(FunctionCapturesError);
    expect(() => client.submit((x: number) => x + offset, 1)).toThrow(/offset/);
  });
});

describe('graphs that are none', () => {
  const graphs: readonly [string, readonly Wire[], readonly string[], string, string][] = [
    [
      'a cycle',
      [
        task('c-a', 'add', [{ $dependency: 0 }, 1], { dependencies: ['c-b'] }),
        task('c-b', 'add', [{ $dependency: 0 }, 1], { dependencies: ['c-c'] }),
        task('c-c', 'add', [{ $dependency: 0 }, 1], { dependencies: ['c-a'] }),
      ],
      ['c-a'],
      'INVALID_ARGUMENT',
      'INVALID_GRAPH',
    ],
    [
      'a task that needs itself',
      [task('s', 'add', [], { dependencies: ['s'] })],
      ['s'],
      'INVALID_ARGUMENT',
      'INVALID_GRAPH',
    ],
    [
      'a dependency that nobody knows',
      [
        task('d-1', 'add', [1, 1]),
        task('d-2', 'add', [1, { $dependency: 0 }], { dependencies: ['d-nowhere'] }),
      ],
      ['d-2'],
      'INVALID_ARGUMENT',
      'INVALID_GRAPH',
    ],
    [
      'a wish for a key that nobody knows',
      [task('w-1', 'add', [1, 1])],
      ['w-nowhere'],
      'INVALID_ARGUMENT',
      'INVALID_GRAPH',
    ],
    [
      'a key with two contents',
      [task('twice', 'add', [1, 1]), task('twice', 'add', [1, 2])],
      ['twice'],
      'ALREADY_EXISTS',
      'KEY_CONFLICT',
    ],
    [
      'a dependency named twice',
      [task('n-1', 'add', [1, 1]), task('n-2', 'add', [1, 1], { dependencies: ['n-1', 'n-1'] })],
      ['n-2'],
      'INVALID_ARGUMENT',
      'INVALID_ARGUMENT',
    ],
    [
      'no arguments',
      [{ ...task('no-args', 'add', []), args: null }],
      [],
      'INVALID_ARGUMENT',
      'INVALID_ARGUMENT',
    ],
    [
      'no function',
      [{ ...task('no-function', 'add', []), function: null }],
      [],
      'INVALID_ARGUMENT',
      'INVALID_ARGUMENT',
    ],
    [
      'arguments without an encoding',
      [{ ...task('no-encoding', 'add', []), args: { data: Buffer.from('[]') } }],
      [],
      'INVALID_ARGUMENT',
      'INVALID_ARGUMENT',
    ],
    [
      'a priority that is no number',
      [task('nan', 'add', [], { priority: NaN })],
      [],
      'INVALID_ARGUMENT',
      'INVALID_ARGUMENT',
    ],
    ['an empty key', [task('', 'add', [])], [], 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
    ['a key of 10 kB', [task('k'.repeat(10_000), 'add', [])], [], 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
    [
      'inline arguments over the limit',
      [task('large', 'total', [[...Buffer.alloc(1_000_000)]])],
      [],
      'INVALID_ARGUMENT',
      'INVALID_ARGUMENT',
    ],
    [
      'a negative timeout',
      [task('timeout', 'add', [], { timeout: { seconds: '-5' } })],
      [],
      'INVALID_ARGUMENT',
      'INVALID_ARGUMENT',
    ],
  ];

  test.each(graphs)('%s is refused, and nothing of it stays', async (_, tasks, wants, code, reason) => {
    const me = aClient();
    expect(await rejection(submit(foreign, me, [tasks], wants))).toMatchObject(refused(code, reason));
    const keys = tasks.map(({ key }) => key as string).filter((key) => key !== '' && key.length < 1000);
    const { keys: infos } = await foreign.call(SCHEDULER, 'DescribeKeys', { keys });
    for (const info of infos as Wire[]) expect(info['state']).toBe('SCHEDULER_TASK_STATE_FORGOTTEN');
  });

  test('a mistake in a later part refuses the whole graph, and the same submission made right runs', async () => {
    const me = aClient();
    const submissionId = randomUUID();
    const parts = [
      [task('later-1', 'add', [1, 1])],
      [task('later-2', 'add', [1, 1], { dependencies: ['nobody'] })],
    ];
    expect(await rejection(submit(foreign, me, parts, ['later-1'], submissionId))).toMatchObject(
      refused('INVALID_ARGUMENT', 'INVALID_GRAPH'),
    );
    const broken = [
      [task('later-1', 'add', [1, 1])],
      [task('', 'add', [])],
      [task('later-3', 'add', [1, 1])],
    ];
    expect(await rejection(submit(foreign, me, broken, ['later-1'], submissionId))).toMatchObject({
      ...refused('INVALID_ARGUMENT', 'INVALID_ARGUMENT'),
      fields: ['tasks[0].key'],
    });
    const right = [
      [task('later-1', 'add', [20, 1])],
      [task('later-2', 'add', [21, { $dependency: 0 }], { dependencies: ['later-1'] })],
    ];
    await submit(foreign, me, right, ['later-2'], submissionId);
    const [outcome] = await outcomesOf(foreign, me, ['later-2']);
    expect(outcome?.state).toBe('SCHEDULER_TASK_STATE_MEMORY');
    await foreign.call(SCHEDULER, 'CloseClient', { client_id: me });
  });

  test('a key that another client holds with other content is refused with KEY_CONFLICT, and stays as it is', async () => {
    const theirs = client.with({ key: 'shared-key' }).submit(work.inc, 1);
    await client.wait([theirs]);
    await using other = await cluster.connect();
    const otherWork = await loadWork(other);
    const conflicting = other.with({ key: 'shared-key' }).submit(otherWork.inc, 2);
    expect((await conflicting.exception({ timeout: '10s' }))?.code).toBe('KEY_CONFLICT');
    const same = other.with({ key: 'shared-key' }).submit(otherWork.inc, 1);
    expect(await same.result({ timeout: '10s' })).toBe(2);
    expect(await theirs.result()).toBe(2);
  });

  test('the same submission twice gives one graph, whose tasks run once', async () => {
    const me = aClient();
    const path = join(folder, 'twice');
    const submissionId = randomUUID();
    const parts = [[task('noted', 'note', [path, 'once'])]];
    await Promise.all([
      submit(foreign, me, parts, ['noted'], submissionId),
      submit(foreign, me, parts, ['noted'], submissionId),
    ]);
    await outcomesOf(foreign, me, ['noted']);
    await submit(foreign, me, parts, ['noted'], submissionId);
    await outcomesOf(foreign, me, ['noted']);
    expect(await readFile(path, 'utf8')).toBe('once\n');
    await foreign.call(SCHEDULER, 'CloseClient', { client_id: me });
  });
});

describe('workers that are not there', () => {
  test('asking what they hold, and running on them, is refused with UNKNOWN_WORKER', async () => {
    await expect(client.hasWhat(['nobody'])).rejects.toBeInstanceOf(UnknownWorkerError);
    await expect(client.run(work.pid, [], { workers: ['nobody'] })).rejects.toBeInstanceOf(
      UnknownWorkerError,
    );
    expect(await rejection(foreign.call(SCHEDULER, 'HasWhat', { worker_id: 'nobody' }))).toMatchObject(
      refused('NOT_FOUND', 'UNKNOWN_WORKER'),
    );
    const run = {
      request: { function: { preinstalled: { module: 'demo', export_name: 'add' } }, args: json([]) },
      workers: ['nobody'],
    };
    expect(await rejection(foreign.call(SCHEDULER, 'RunOnWorkers', run))).toMatchObject(
      refused('NOT_FOUND', 'UNKNOWN_WORKER'),
    );
  });

  test('scattering to them is refused with NO_VALID_WORKER', async () => {
    const plan = { nbytes: '10', copies: 1, workers: ['nobody'] };
    expect(await rejection(foreign.call(SCHEDULER, 'PlanScatter', plan))).toMatchObject(
      refused('FAILED_PRECONDITION', 'NO_VALID_WORKER'),
    );
  });
});

test('the innocent noticed nothing, the programs are the same, and nothing was logged as an error', async () => {
  const { roundCount } = await bystander.stop();
  expect(roundCount).toBeGreaterThan(0);
  const lines = log.join('').split('\n').filter(Boolean);
  expect(lines.filter((line) => /"level":"?(error|fatal|50|60)/.test(line))).toEqual([]);
}, 30_000);
