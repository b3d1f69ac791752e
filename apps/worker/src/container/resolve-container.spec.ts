import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, optionsSource } from '@spillway/config';
import type { ContainerFactory, ValueContainer } from '@spillway/value-container';
import { MapContainer } from '@spillway/value-container/testing';
import { resolveContainer, type ContainerPlace, type ResolvedContainer } from './resolve-container.js';
import { dataOf, type WorkerData } from './worker-data.js';

let folder: string;
let place: ContainerPlace;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'resolve-container-'));
  place = { localDirectory: join(folder, 'own'), installFolder: folder };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const resolved = (data: WorkerData): Promise<ResolvedContainer> => resolveContainer(data, place);
const anything = (value: unknown): WorkerData => value as WorkerData;

/** A map of which each method is async, as plain JavaScript that needs nothing. */
const MADE = `(context, options) => {
  const map = new Map(options.filled ? [['k', new Uint8Array(1)]] : []);
  return {
    context, options,
    async get(key) { return map.get(key); },
    async set(key, bytes) { map.set(key, bytes); },
    async delete(key) { map.delete(key); },
    async *keys() { yield* map.keys(); },
    async count() { return map.size; },
  };
}`;
const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);

test('an instance is taken as it is, and stays its owner’s', async () => {
  const container = new MapContainer();
  expect(await resolved(container)).toEqual({ container, isOwned: false });
  expect(existsSync(place.localDirectory)).toBe(false);
});

test('a factory is given a folder that exists, and its options; what it makes is the worker’s to close', async () => {
  const calls: unknown[] = [];
  const factory: ContainerFactory<{ size?: number }> = async (context, options) => {
    calls.push(context, options, existsSync(context.localDirectory));
    return Promise.resolve(new MapContainer());
  };
  expect((await resolved(factory)).isOwned).toBe(true);
  await resolved([factory, { size: 3 }]);
  const { localDirectory } = place;
  expect(calls).toEqual([{ localDirectory }, {}, true, { localDirectory }, { size: 3 }, true]);
});

test('a module is looked for from the install folder, as a file and as a package, of either kind', async () => {
  await write('esm.mjs', `export const make = ${MADE};`);
  await write('cjs.cjs', `const all = { make: ${MADE} }; module.exports = all;`);
  await mkdir(join(folder, 'node_modules/only-esm'), { recursive: true });
  await write(
    'node_modules/only-esm/package.json',
    '{"name":"only-esm","type":"module","exports":{"import":"./index.js"}}',
  );
  await write(
    'node_modules/only-esm/index.js',
    `export const make = ${MADE}; export const made = make({}, {});`,
  );
  const modules = ['./esm.mjs', join(folder, 'esm.mjs'), './cjs.cjs', 'only-esm'];
  for (const module of modules) {
    const { container, isOwned } = await resolved({ module: `${module}#make`, options: { a: [1] } });
    expect(container).toMatchObject({
      context: { localDirectory: place.localDirectory },
      options: { a: [1] },
    });
    expect(isOwned).toBe(true);
  }
  expect((await resolved({ module: 'only-esm#made' })).isOwned).toBe(true);
});

test('the settings say the same', () => {
  const config = (values: object): unknown => dataOf(loadConfig([optionsSource({ worker: values })]).worker);
  expect(config({})).toBeUndefined();
  expect(config({ data: './c.js#make', 'data-options': '{"a":1}' })).toEqual({
    module: './c.js#make',
    options: { a: 1 },
  });
});

test('a module that is not there, or does not load, is told with what was wrong', async () => {
  await write('broken.mjs', 'throw new Error("no licence");');
  await expect(resolved({ module: './nowhere.mjs#make' })).rejects.toMatchObject({
    code: 'MODULE_NOT_LOADABLE',
    message: expect.stringMatching(
      /The module \.\/nowhere\.mjs of worker\.data .* Cannot find module/,
    ) as string,
  });
  await expect(resolved({ module: 'no-such-package#make' })).rejects.toMatchObject({
    code: 'MODULE_NOT_LOADABLE',
  });
  await expect(resolved({ module: './broken.mjs#make' })).rejects.toMatchObject({
    code: 'MODULE_NOT_LOADABLE',
    message: expect.stringContaining('no licence') as string,
  });
});

test('an export that is not there is told with those that are', async () => {
  await write('esm.mjs', 'export const one = 1; export const two = 2;');
  await expect(resolved({ module: './esm.mjs#three' })).rejects.toMatchObject({
    code: 'FUNCTION_NOT_FOUND',
    message: 'There is no export three in ./esm.mjs, which exports: one, two. Check worker.data.',
  });
  await expect(resolved({ module: './esm.mjs#toString' })).rejects.toMatchObject({
    code: 'FUNCTION_NOT_FOUND',
  });
});

test.each<[string, unknown, string]>([
  ['a map', new Map(), 'data names something that is no container for values: it lacks count.'],
  [
    'nothing',
    () => undefined,
    'data made something that is no container for values: it lacks get, set, delete,',
  ],
  ['a number', 7, 'it lacks get, set, delete, keys, count.'],
  ['a class', MapContainer, 'and no class'],
  [
    'a pair of an instance and options',
    [new MapContainer(), {}],
    'must be a function that makes a container',
  ],
  ['a name without an export', { module: './esm.mjs' }, 'is not of the form `module#export`'],
  [
    'a factory that throws',
    () => {
      throw new Error('no connection');
    },
    'data could not make a container: no connection.',
  ],
  ['a factory that rejects', () => Promise.reject(new Error('no access')), 'no access'],
])('%s is refused as a container', async (_, data, message) => {
  await expect(resolved(anything(data))).rejects.toMatchObject({
    code: 'INVALID_CONFIG',
    message: expect.stringContaining(message) as string,
  });
});

test('options for what takes none are refused', async () => {
  await write('made.mjs', `export const made = (${MADE})({}, {});`);
  await expect(resolved({ module: './made.mjs#made', options: { a: 1 } })).rejects.toMatchObject({
    code: 'INVALID_CONFIG',
    message: expect.stringContaining('takes no options') as string,
  });
});

test('a container that is not empty is refused, with how many keys it has, and closed if it was made for this', async () => {
  let isClosed = false;
  const filled = async (): Promise<ValueContainer> => {
    const container = new MapContainer();
    await container.set('a', new Uint8Array(1));
    await container.set('b', new Uint8Array(1));
    return Object.assign(container, {
      close: () => {
        isClosed = true;
        return Promise.reject(new Error('busy'));
      },
    });
  };
  const refused = {
    code: 'INVALID_CONFIG',
    message:
      'data gave a container that is not empty: it has 2 keys. Give each life of each worker a new one, or empty it first.',
    details: { keys: '2' },
  };
  await expect(resolved(await filled())).rejects.toMatchObject(refused);
  expect(isClosed).toBe(false);
  await expect(resolved(filled)).rejects.toMatchObject(refused);
  expect(isClosed).toBe(true);
});

test('a container that cannot say whether it is empty is refused', async () => {
  const container = new MapContainer();
  container.count = () => Promise.reject(new Error('no connection'));
  await expect(resolved(container)).rejects.toMatchObject({
    code: 'INVALID_CONFIG',
    message: expect.stringContaining('cannot count its keys: no connection') as string,
  });
});
