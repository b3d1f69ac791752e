/** The house rules that no linter knows (style.md 5.11), on the tree as it stands. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  circles,
  deepImports,
  extraDoors,
  importGraph,
  orphans,
  packagesOf,
  undeclaredImports,
  unusedDependencies,
} from './packages.js';
import { ROOT, readTree } from './source-tree.js';
import { defaultExports, tooLongFunctions, unnamedExports } from './syntax-rules.js';
import {
  consoleUses,
  downloadAddresses,
  emptyNames,
  machinePaths,
  oddNames,
  openNotes,
  switchedOffTests,
  tooLongFiles,
  waitingSpecs,
} from './text-rules.js';

const files = readTree();
const packages = packagesOf(files);

test('the tree was found', () => {
  expect(files.length).toBeGreaterThan(100);
  expect(packages.length).toBeGreaterThan(10);
});

test('no file is longer than one idea', () => expect(tooLongFiles(files)).toEqual([]));
test('no function is longer than a page', () => expect(tooLongFunctions(files)).toEqual([]));
test('names say what they name', () => expect(emptyNames(files)).toEqual([]));
test('files are named in kebab-case', () => expect(oddNames(files)).toEqual([]));
test('nothing is left open in the code', () => expect(openNotes(files)).toEqual([]));
test('no path of one machine is in a file', () => expect(machinePaths(files)).toEqual([]));
test('the lock file names no download addresses', () => expect(downloadAddresses(files)).toEqual([]));
test('no test is switched off, or the only one switched on', () =>
  expect(switchedOffTests(files)).toEqual([]));
test('no spec waits for time to pass', () => expect(waitingSpecs(files)).toEqual([]));
test('libraries and programs do not write to the console', () => expect(consoleUses(files)).toEqual([]));
test('exports have names', () => expect(defaultExports(files)).toEqual([]));
test('entry files name what they export', () => expect(unnamedExports(files)).toEqual([]));
test('every library has one door', () => expect(extraDoors(packages)).toEqual([]));
test('nobody goes past a door', () => expect(deepImports(packages)).toEqual([]));
test('what is imported is declared', () => expect(undeclaredImports(packages)).toEqual([]));
test('what is declared is imported', () => expect(unusedDependencies(packages)).toEqual([]));
test('no packages import each other in a circle', () => expect(circles(packages)).toEqual([]));
test('every file is used', () => expect(orphans(packages)).toEqual([]));

test('a new arrow between libraries is a line in a diff (UPDATE=1 writes it)', () => {
  const path = join(ROOT, 'tools/tidy/import-graph.txt');
  const graph = importGraph(packages);
  if (process.env['UPDATE'] === '1') writeFileSync(path, graph);
  expect(existsSync(path) ? readFileSync(path, 'utf8') : '').toBe(graph);
});

test('the generated pages are fresh', async () => {
  const args = ['--import', 'tsx', '--conditions=@spillway/source', 'tools/generate/docs.ts', '--check'];
  const complaint = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT }, (error, _, stderr) => {
      resolve(error === null ? '' : stderr);
    });
  });
  expect(complaint).toBe('');
}, 60_000);
