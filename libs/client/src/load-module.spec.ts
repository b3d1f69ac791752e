import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AsyncLocalStorage } from 'node:async_hooks';
import { FunctionNotFoundError, InvalidArgumentError, ModuleNotLoadableError } from '@spillway/kernel';
import { decodeValue, encodeValue, publishSizeof, sizeof } from '@spillway/values';
import { CURRENT_TASK, currentTask } from './current-task.js';
import { bundleModule, type Bundle } from './modules/bundle.js';
import { loadModule } from './load-module.js';
import { aClient, turns } from './testing/client-rig.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-load-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}
const at = (path: string): string => join(folder, path);
const bundle = (path: string): Promise<Bundle> => bundleModule(at(path), {});

type Exports = Record<string, (...args: unknown[]) => unknown>;

/** Runs the bundle as a worker does: CommonJS text, as a file of another folder. */
function run(text: Uint8Array): Exports {
  const file = at('worker.cjs');
  writeFileSync(file, text);
  return createRequire(file)(file) as Exports;
}

describe('a task module', () => {
  test('becomes one text with all it imports, and its exports are known', async () => {
    write({
      'tasks.ts': `import { double } from './lib/double.js';
        export function twice(x: number): number { return double(x); }
        export const half = async (x: number) => x / 2;
        export default (): string => 'default';
        export const RATE = 3;
        export type Ignored = string;`,
      'lib/double.ts': `export const double = (x: number): number => x * 2;`,
    });
    const { text, exportNames } = await bundle('tasks.ts');
    expect([...exportNames!].sort()).toEqual(['RATE', 'default', 'half', 'twice']);
    const exports = run(text);
    expect(exports['twice']!(4)).toBe(8);
    await expect(exports['half']!(4)).resolves.toBe(2);
    expect(exports['default']!()).toBe('default');
  });

  test('in CommonJS works too; its exports are whatever it has when it runs', async () => {
    write({ 'tasks.cjs': `exports.twice = (x) => x * 2;` });
    const { hash, handles, bytes } = await loadModule<Exports>(at('tasks.cjs'), {});
    expect(run(bytes)['twice']!(2)).toBe(4);
    expect(handles['twice']?.ref).toEqual({ kind: 'bundle', moduleHash: hash, exportName: 'twice' });
  });

  test('has a source map that names the user’s file and line', async () => {
    write({ 'deep/tasks.ts': `export function fail(): never {\n  throw new Error('boom');\n}` });
    const { text } = await bundle('deep/tasks.ts');
    const comment = /sourceMappingURL=data:application\/json;base64,(.*)/.exec(
      Buffer.from(text).toString(),
    )?.[1];
    const map = JSON.parse(Buffer.from(comment!, 'base64').toString()) as {
      sourceRoot: string;
      sources: string[];
      sourcesContent: string[];
    };
    const sources = map.sources.map((source) => new URL(map.sourceRoot + source).href);
    expect(sources).toContain(pathToFileURL(at('deep/tasks.ts')).href);
    expect(map.sourcesContent.join()).toContain(`throw new Error('boom')`);
  });

  test('has the same hash for the same contents and another for others', async () => {
    write({ 'tasks.ts': 'export const f = () => 1;' });
    const [one, again] = [await loadModule(at('tasks.ts'), {}), await loadModule(at('tasks.ts'), {})];
    write({ 'tasks.ts': 'export const f = () => 2;' });
    const other = await loadModule(at('tasks.ts'), {});
    expect(again.hash).toBe(one.hash);
    expect(other.hash).not.toBe(one.hash);
  });

  test('that says `.js` where only the `.ts` is there is found', async () => {
    write({ 'tasks.ts': 'export const f = () => 1;' });
    const { handles } = await loadModule<Exports>(pathToFileURL(at('tasks.js')), {});
    expect(handles['f']?.name).toBe('f');
  });

  test('that says `.ts` where only the compiled `.js` is there is found', async () => {
    write({ 'tasks.js': `export const twice = (x) => x * 2;` });
    const { handles } = await loadModule<Exports>(pathToFileURL(at('tasks.ts')), {});
    expect(handles['twice']?.name).toBe('twice');
    await expect(loadModule(at('other.ts'), {})).rejects.toThrow(/other\.ts, and no .*other\.js/);
    await expect(loadModule(at('other.json'), {})).rejects.toThrow(/no file .*other\.json\. /);
  });

  test('that uses import.meta.url runs, with the place it runs at', async () => {
    write({ 'tasks.ts': `export const where = (): string => import.meta.url;` });
    const { text } = await bundle('tasks.ts');
    expect(run(text)['where']!()).toBe(pathToFileURL(at('worker.cjs')).href);
  });

  test('keeps the names of its functions', async () => {
    write({ 'tasks.ts': `const inner = (): number => 1; export const nameOf = (): string => inner.name;` });
    const { text } = await bundle('tasks.ts');
    expect(run(text)['nameOf']!()).toBe('inner');
  });

  test('takes further conditions of packages when it is told to', async () => {
    write({
      'node_modules/two-faced/package.json': JSON.stringify({
        name: 'two-faced',
        exports: { special: './special.js', default: './plain.js' },
      }),
      'node_modules/two-faced/special.js': `exports.face = 'special';`,
      'node_modules/two-faced/plain.js': `exports.face = 'plain';`,
      'tasks.ts': `import { face } from 'two-faced'; export const look = (): string => face;`,
    });
    const plain = await bundleModule(at('tasks.ts'), {});
    const special = await bundleModule(at('tasks.ts'), { conditions: ['special'] });
    expect([run(plain.text)['look']!()]).toEqual(['plain']);
    writeFileSync(at('worker2.cjs'), special.text);
    expect((createRequire(at('x.cjs'))(at('worker2.cjs')) as Exports)['look']!()).toBe('special');
  });
});

describe('@spillway/client in a task module', () => {
  test('is the little that works in a task, and not the client', async () => {
    write({
      'tasks.ts': `import { currentTask, unshared, registerCodec } from '@spillway/client';
        export const key = (): string => currentTask().key;
        export const copy = (view: Uint8Array): Uint8Array => unshared(view);
        export const register = (codec: unknown) => registerCodec(codec as never);`,
    });
    const { text } = await bundle('tasks.ts');
    expect(text.byteLength).toBeLessThan(20_000);
    const exports = run(text);
    expect(() => exports['key']!()).toThrow(/outside of a task/);
    const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(7);
    const copy = exports['copy']!(shared) as Uint8Array;
    expect([...copy]).toEqual([7, 7, 7, 7]);
    expect(copy.buffer).toBeInstanceOf(ArrayBuffer);
  });

  test('registers codecs where this library finds them', async () => {
    write({
      'tasks.ts': `import { registerCodec } from '@spillway/client';
        export class Money { constructor(readonly cents: number) {} }
        registerCodec({ name: 'Money', type: Money, encode: (m) => m.cents, decode: (c) => new Money(c as number) });`,
    });
    const { Money } = run((await bundle('tasks.ts')).text) as unknown as {
      Money: new (cents: number) => object;
    };
    const decoded = decodeValue(encodeValue({ price: new Money(250) })) as { price: object };
    expect(decoded.price).toBeInstanceOf(Money);
    expect(decoded.price).toEqual(new Money(250));
  });

  test('registers size functions where this library finds them, and finds its sizeof', async () => {
    write({
      'tasks.ts': `import { registerSizeof, sizeof } from '@spillway/client';
        export class Image { readonly #pixels = 5000; get bytes() { return this.#pixels; } }
        registerSizeof(Image, (image) => image.bytes);
        export const price = (value: unknown) => sizeof(value);`,
    });
    const { Image, price } = run((await bundle('tasks.ts')).text) as unknown as {
      Image: new () => object;
      price: (value: unknown) => number;
    };
    expect(sizeof(new Image())).toBe(5000);
    publishSizeof();
    expect(price(new Image())).toBe(5000);
  });

  test('finds the context of the task that runs', async () => {
    write({
      'tasks.ts': `import { currentTask } from '@spillway/client'; export const key = () => currentTask().key;`,
    });
    const exports = run((await bundle('tasks.ts')).text);
    const storage = new AsyncLocalStorage();
    (globalThis as Record<symbol, unknown>)[CURRENT_TASK] = storage;
    try {
      expect(storage.run({ key: 'k1' }, () => [exports['key']!(), currentTask().key])).toEqual(['k1', 'k1']);
      expect(() => currentTask()).toThrow(/outside of a task/);
    } finally {
      Reflect.deleteProperty(globalThis, CURRENT_TASK);
    }
  });

  test('of which something else is imported is refused by name', async () => {
    write({ 'tasks.ts': `import { connect } from '@spillway/client'; export const f = () => connect('x');` });
    await expect(bundle('tasks.ts')).rejects.toThrow(/connect/);
  });
});

describe('packages with native code', () => {
  const user = `import addon from 'addon-package'; export const f = () => addon;`;
  test.each<[what: string, files: Record<string, string>]>([
    ['a binding.gyp', { 'package.json': '{"name":"addon-package"}', 'binding.gyp': '{}' }],
    ['prebuilt binaries', { 'package.json': '{"name":"addon-package"}', 'prebuilds/linux-x64/a.node': '' }],
    ['a loader of addons', { 'package.json': '{"dependencies":{"node-gyp-build":"4"}}' }],
    [
      'a package for each platform',
      { 'package.json': '{"optionalDependencies":{"@x/addon-linux-x64-gnu":"1"}}' },
    ],
    [
      'an addon that shows only when it is read',
      {
        'package.json': '{"main":"index.js"}',
        'index.js': `module.exports = require('./build/addon.node');`,
      },
    ],
  ])('with %s stay outside', async (_what, files) => {
    write({ 'tasks.ts': user });
    for (const [path, text] of Object.entries(files)) write({ [`node_modules/addon-package/${path}`]: text });
    const { text, externalPackages } = await bundle('tasks.ts');
    expect(externalPackages).toEqual(['addon-package']);
    expect(Buffer.from(text).toString()).toContain(`require("addon-package")`);
  });

  test('without any are bundled', async () => {
    write({
      'tasks.ts': `import { f as g } from '@scope/plain/sub.js'; export const f = () => g();`,
      'node_modules/@scope/plain/package.json': '{"name":"@scope/plain"}',
      'node_modules/@scope/plain/sub.js': `exports.f = () => 'plain';`,
    });
    const { text, externalPackages } = await bundle('tasks.ts');
    expect(externalPackages).toEqual([]);
    expect(run(text)['f']!()).toBe('plain');
  });

  test('named by the caller stay outside as well', async () => {
    write({ 'tasks.ts': `export const f = async () => import('somewhere/else');` });
    const { externalPackages } = await bundleModule(at('tasks.ts'), { external: ['somewhere'] });
    expect(externalPackages).toEqual(['somewhere']);
  });

  test('an addon of the application itself is refused by its file', async () => {
    write({ 'tasks.ts': `export const f = () => require('./addon.node');`, 'addon.node': '' });
    await expect(bundle('tasks.ts')).rejects.toThrow(/addon\.node/);
  });
});

describe('a module that cannot be loaded', () => {
  test.each<[why: string, files: Record<string, string>, message: RegExp]>([
    ['is not there', {}, /no file .*tasks\.ts/],
    ['has an error', { 'tasks.ts': 'export const f = (' }, /tasks\.ts:1:/],
    ['imports what is not there', { 'tasks.ts': `import 'no-such-package';` }, /no-such-package/],
    ['waits at its top level', { 'tasks.ts': 'await 1; export const f = () => 1;' }, /[Tt]op-level await/],
  ])('because it %s is refused, and says why', async (_why, files, message) => {
    write(files);
    const loading = loadModule(at('tasks.ts'), {});
    await expect(loading).rejects.toThrow(ModuleNotLoadableError);
    await expect(loading).rejects.toThrow(message);
  });

  test.each(['./tasks.ts', 'tasks.ts', 'https://example.org/tasks.ts', new URL('https://example.org/t.ts')])(
    '%s is no file',
    async (url) => {
      await expect(loadModule(url, {})).rejects.toThrow(InvalidArgumentError);
    },
  );
});

describe('load', () => {
  test('uploads the module once, and its handles submit functions of it', async () => {
    write({ 'tasks.ts': 'export const f = (x: number) => x;' });
    const { client, cluster } = aClient();
    const one = await client.load<{ f: (x: number) => number }>(at('tasks.ts'));
    await client.load(pathToFileURL(at('tasks.ts')));
    const [hash] = cluster.uploads;
    expect(cluster.uploads).toEqual([hash]);

    client.submit(one.f, 1);
    await turns();
    expect(cluster.tasks[0]?.function).toEqual({ kind: 'bundle', moduleHash: hash, exportName: 'f' });
  });

  test('does not upload what the cluster has already', async () => {
    write({ 'tasks.ts': 'export const f = (x: number) => x;' });
    const { client, cluster } = aClient();
    cluster.hasModule = () => Promise.resolve(true);
    await client.load(at('tasks.ts'));
    expect(cluster.uploads).toEqual([]);
  });

  test('a name that the module does not export throws and lists those it does', async () => {
    write({ 'tasks.ts': 'export const f = () => 1; export const g = () => 2;' });
    const { client } = aClient();
    const tasks = await client.load<Exports>(at('tasks.ts'));
    expect(() => tasks['h']).toThrow(FunctionNotFoundError);
    expect(() => tasks['h']).toThrow(/does not export "h".*"f", "g"/);
    expect(JSON.stringify(Object.keys(tasks))).toBe('["f","g"]');
  });

  test('a module that the cluster has dropped meanwhile is uploaded again', async () => {
    write({ 'tasks.ts': 'export const f = (x: number) => x;' });
    const { client, cluster, timers } = aClient();
    const tasks = await client.load<{ f: (x: number) => number }>(at('tasks.ts'));
    cluster.modules.clear();
    timers.advance(60_000);
    client.submit(tasks.f, 1);
    await turns();
    expect(cluster.uploads).toHaveLength(2);
    expect(cluster.graphs).toHaveLength(1);
  });

  test('an upload that fails fails the tasks that need it, and is tried again by the next', async () => {
    const { client, cluster } = aClient();
    const upload = cluster.uploadModule.bind(cluster);
    cluster.uploadModule = () => Promise.reject(new ModuleNotLoadableError('too big'));
    await expect(client.submit((a: number) => a, 1).result()).rejects.toThrow('too big');
    cluster.uploadModule = upload;
    client.submit((a: number) => a, 1);
    await turns();
    expect(cluster.tasks).toHaveLength(1);
  });

  test('handles of another client are taken where the module is in the cluster, and refused where it is not', async () => {
    write({ 'tasks.ts': 'export const f = (x: number) => x;' });
    const [one, other] = [aClient(), aClient()];
    const tasks = await one.client.load<{ f: (x: number) => number }>(at('tasks.ts'));
    await expect(other.client.submit(tasks.f, 1).result()).rejects.toThrow(/loaded by another client/);
    other.cluster.hasModule = () => Promise.resolve(true);
    other.client.submit(tasks.f, 1);
    await turns();
    expect(other.cluster.tasks).toHaveLength(1);
  });

  test('an inline function is uploaded as a module of its own, before the graph', async () => {
    const { client, cluster } = aClient();
    client.map((a: number) => a + 1, [1, 2, 3]);
    client.submit((a: number) => a + 1, 4);
    await turns();
    expect(cluster.uploads).toHaveLength(1);
    expect(new Set(cluster.tasks.map((task) => JSON.stringify(task.function))).size).toBe(1);
  });

  test('what is no function is refused', () => {
    const { client } = aClient();
    expect(() => client.submit(undefined as unknown as () => void)).toThrow(InvalidArgumentError);
    expect(() => client.submit({ name: 'f' } as unknown as () => void)).toThrow(/not object/);
  });
});
