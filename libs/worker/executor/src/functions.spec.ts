/** Finding the function a task names: uploaded bundles, preinstalled modules, and everything that can be wrong. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asModuleHash, must, UnavailableError } from '@spillway/kernel';
import type { FunctionRef } from '@spillway/messages';
import { build, stop } from 'esbuild';
import { closeRigs, Rig } from './testing/executor-rig.js';

afterEach(closeRigs);
afterAll(stop);

const containing = (text: string): string => expect.stringContaining(text) as string;

/** Puts a package into the folder that bundles resolve theirs from. */
async function install(rig: Rig, name: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(rig.folder, 'node_modules', name, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

const hashOf = (ref: FunctionRef): ReturnType<typeof asModuleHash> =>
  ref.kind === 'bundle' ? ref.moduleHash : asModuleHash('');

test('a bundle is fetched once for all slots and written where only its owner reads it', async () => {
  const rig = await Rig.start({ slotCount: 2 });
  const bundle = rig.upload('exports.run = () => 1; exports.other = () => 2;');

  await Promise.all([rig.value(bundle, { slot: 0 }), rig.value(bundle, { slot: 1 })]);
  await expect(rig.value({ ...bundle, exportName: 'other' })).resolves.toBe(2);

  expect(rig.fetched).toEqual([hashOf(bundle)]);
  expect(await readdir(rig.moduleFolder)).toEqual([`${hashOf(bundle)}.cjs`]);
  expect((await stat(rig.moduleFolder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(rig.moduleFolder, `${hashOf(bundle)}.cjs`))).mode & 0o777).toBe(0o600);
});

test('a module keeps its state between tasks of one thread', async () => {
  const rig = await Rig.start();
  const counting = rig.upload('let count = 0; exports.run = () => (count += 1);');
  await expect(rig.value(counting)).resolves.toBe(1);
  await expect(rig.value(counting)).resolves.toBe(2);
});

test('an unloaded module is dropped, and fetched anew when a task names it again', async () => {
  const rig = await Rig.start();
  const counting = rig.upload('let count = 0; exports.run = () => (count += 1);');
  await rig.value(counting);

  rig.executor.unloadModules([hashOf(counting)]);

  await expect(rig.value(counting)).resolves.toBe(1);
  expect(rig.fetched).toHaveLength(2);
});

test('unloading a module that a queued task still needs waits for that task', async () => {
  const rig = await Rig.start();
  const bundle = rig.upload('exports.run = () => 5;');
  await rig.value(bundle);
  const needed = rig.hand(bundle);

  rig.executor.unloadModules([hashOf(bundle)]);

  await expect(needed.outcome).resolves.toMatchObject({ type: 'execute-success' });
});

test('a module that the disk does not take runs all the same, in each thread, also once it is unloaded', async () => {
  const rig = await Rig.start({ slotCount: 2 });
  // A file where the folder has to be: as little room for a module as on a full disk.
  await writeFile(rig.moduleFolder, '');
  const counting = rig.upload('let count = 0; exports.run = () => (count += 1);');

  await expect(rig.value(counting, { slot: 0 })).resolves.toBe(1);
  await expect(rig.value(counting, { slot: 1 })).resolves.toBe(1);
  await expect(rig.value(counting, { slot: 1 })).resolves.toBe(2);
  expect(rig.fetched).toHaveLength(1);
  expect(rig.lines).toEqual([
    { key: undefined, level: 'warn', text: containing('is kept in memory, as the disk did not take it') },
  ]);

  const needed = rig.hand(counting, { slot: 0 });
  rig.executor.unloadModules([hashOf(counting)]);
  await expect(needed.outcome).resolves.toMatchObject({ type: 'execute-success' });
  await expect(rig.value(counting, { slot: 1 })).resolves.toBe(1);
});

test('a bundle requires, and imports, packages from the install folder', async () => {
  const rig = await Rig.start();
  await install(rig, 'old-style', {
    'package.json': '{"main":"./main.cjs"}',
    'main.cjs': 'exports.word = "old";',
  });
  await install(rig, 'new-style', {
    'package.json': '{"type":"module","exports":{"import":"./main.js"}}',
    'main.js': 'export const word = "new";',
  });

  await expect(
    rig.value('async () => require("old-style").word + (await import("new-style")).word'),
  ).resolves.toBe('oldnew');
});

test('an export that does not exist is named together with those that do', async () => {
  const rig = await Rig.start();
  const ref = rig.upload('exports.sum = () => 1; exports.mean = () => 2; exports.limit = 5;', 'median');

  await expect(rig.run(ref)).resolves.toMatchObject({
    type: 'execute-failure',
    mayRetry: false,
    error: { code: 'FUNCTION_NOT_FOUND', message: containing('sum, mean, limit') },
  });
  await expect(rig.run({ ...ref, exportName: 'limit' })).resolves.toMatchObject({
    error: { code: 'FUNCTION_NOT_FOUND', message: containing('not a function') },
  });
  await expect(rig.run({ ...ref, exportName: 'toString' })).resolves.toMatchObject({
    error: { code: 'FUNCTION_NOT_FOUND' },
  });
});

test('a module nobody uploaded, or a hash that is none, errs only the tasks that name it', async () => {
  const rig = await Rig.start();
  const missing: FunctionRef = {
    kind: 'bundle',
    moduleHash: asModuleHash('0'.repeat(64)),
    exportName: 'run',
  };
  const evil: FunctionRef = { ...missing, moduleHash: asModuleHash('../../etc/passwd') };

  const outcomes = await Promise.all([rig.run(missing), rig.run(evil), rig.run('() => 1')]);

  expect(outcomes).toMatchObject([
    { type: 'execute-failure', mayRetry: false, error: { code: 'FUNCTION_NOT_FOUND' } },
    { type: 'execute-failure', mayRetry: false, error: { code: 'FUNCTION_NOT_FOUND' } },
    { type: 'execute-success' },
  ]);
  expect(rig.fetched).not.toContain(evil.moduleHash);
});

test('bytes that do not match their hash are refused and not written', async () => {
  const rig = await Rig.start();
  const bundle = rig.upload('exports.run = () => 1;');
  rig.uploads.set(hashOf(bundle), new TextEncoder().encode('exports.run = () => "something else";'));

  await expect(rig.run(bundle)).resolves.toMatchObject({
    type: 'execute-failure',
    mayRetry: false,
    error: { code: 'FUNCTION_NOT_FOUND', message: containing('do not match') },
  });
  await expect(readdir(rig.moduleFolder)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a fetch whose connection breaks is made again, and no task notices', async () => {
  let calls = 0;
  const text = new TextEncoder().encode('exports.run = () => 1;');
  const rig = await Rig.start({
    modules: {
      fetch: () => {
        calls += 1;
        return calls < 3 ? Promise.reject(new UnavailableError('not now')) : Promise.resolve(text);
      },
    },
  });
  const ref: FunctionRef = {
    kind: 'bundle',
    moduleHash: asModuleHash(createHash('sha256').update(text).digest('hex')),
    exportName: 'run',
  };

  await expect(rig.value(ref)).resolves.toBe(1);
  expect(calls).toBe(3);
});

test('a module that throws while loading, lacks a package or is no JavaScript is MODULE_NOT_LOADABLE', async () => {
  const rig = await Rig.start();
  const texts = [
    'throw new Error("at load");',
    'require("never-installed"); exports.run = () => 1;',
    'exports.run = (',
  ];

  const outcomes = await Promise.all(texts.map((text) => rig.run(rig.upload(text))));

  expect(outcomes).toMatchObject(
    ['at load', 'never-installed', 'Unexpected'].map((part) => ({
      type: 'execute-failure',
      mayRetry: false,
      error: { code: 'MODULE_NOT_LOADABLE', message: containing(part), stack: containing(part) },
    })),
  );
});

describe('a preinstalled module', () => {
  const startWith = async (
    files: Readonly<Record<string, string>>,
    preinstalled: Record<string, string>,
  ): Promise<Rig> => {
    const rig = await Rig.start({ preinstalled });
    for (const [name, text] of Object.entries(files)) await writeFile(join(rig.folder, name), text);
    return rig;
  };

  test('is found by package name, or by a file relative to the install folder, as ESM and as CommonJS', async () => {
    const rig = await startWith(
      {
        'a.mjs': 'export const twice = (x) => 2 * x;',
        'b.cjs': 'const o = { thrice: (x) => 3 * x }; module.exports = o;',
      },
      { esm: './a.mjs', cjs: './b.cjs', packed: 'packed' },
    );
    await install(rig, 'packed', {
      'package.json': '{"type":"module","exports":{"import":"./main.js"}}',
      'main.js': 'export const half = (x) => x / 2;',
    });
    const ref = (module: string, exportName: string): FunctionRef => ({
      kind: 'preinstalled',
      module,
      exportName,
    });

    await expect(rig.value(ref('esm', 'twice'), { args: [4] })).resolves.toBe(8);
    await expect(rig.value(ref('cjs', 'thrice'), { args: [4] })).resolves.toBe(12);
    await expect(rig.value(ref('packed', 'half'), { args: [4] })).resolves.toBe(2);
    await expect(rig.value(ref('esm', 'twice'), { args: [5] })).resolves.toBe(10);
  });

  test('is found by an absolute path', async () => {
    const preinstalled: Record<string, string> = {};
    const rig = await startWith({ 'a.mjs': 'export const twice = (x) => 2 * x;' }, preinstalled);
    const path = join(rig.folder, 'a.mjs');
    const second = await Rig.start({ preinstalled: { stats: path } });
    await expect(
      second.value({ kind: 'preinstalled', module: 'stats', exportName: 'twice' }, { args: [1] }),
    ).resolves.toBe(2);
  });

  test('that the worker does not have, or that does not load, errs with its name', async () => {
    const rig = await startWith({ 'bad.mjs': 'throw new Error("broken on purpose");' }, { bad: './bad.mjs' });
    const ref = { kind: 'preinstalled', exportName: 'run' } as const;

    await expect(rig.run({ ...ref, module: 'constructor' })).resolves.toMatchObject({
      mayRetry: false,
      error: { code: 'FUNCTION_NOT_FOUND', message: containing('it has: bad') },
    });
    await expect(rig.run({ ...ref, module: 'bad' })).resolves.toMatchObject({
      mayRetry: false,
      error: { code: 'MODULE_NOT_LOADABLE', message: containing('broken on purpose') },
    });
    await expect(rig.run({ ...ref, module: 'bad', exportName: 'x' })).resolves.toMatchObject({
      error: { code: 'MODULE_NOT_LOADABLE' },
    });
  });
});

test('the stack of an error names the line of the TypeScript file it came from', async () => {
  const rig = await Rig.start();
  const source = [
    'interface Row { readonly value?: number }',
    '',
    'export function strict(row: Row): number {',
    '  if (row.value === undefined) throw new TypeError("no value");',
    '  return row.value;',
    '}',
  ].join('\n');
  const built = await build({
    stdin: { contents: source, loader: 'ts', sourcefile: 'rows.tasks.ts' },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    sourcemap: 'inline',
    write: false,
    // Squeezed onto few lines, so that an unmapped stack cannot be right by chance.
    minifyWhitespace: true,
  });
  const ref = rig.upload(must(built.outputFiles[0], 'bundle').text, 'strict');

  await expect(rig.run(ref, { args: [{}] })).resolves.toMatchObject({
    error: { code: 'TASK_FAILED', stack: expect.stringMatching(/rows\.tasks\.ts:4:\d+/u) as string },
  });
});
