/** Each rule finds what it is there for, and leaves alone what it should. */
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
import type { SourceFile } from './source-tree.js';
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

const file = (path: string, text = ''): SourceFile => ({ path, text });
const lines = (count: number): string => 'x;\n'.repeat(count);

test('files above 400 lines', () => {
  const findings = tooLongFiles([
    file('a.ts', lines(401)),
    file('b.ts', lines(400)),
    file('c.md', lines(999)),
  ]);
  expect(findings).toEqual(['a.ts has 401 lines: is it one idea?']);
});

test('functions above 60 lines, but not the callbacks of tests', () => {
  const code = [
    `function f() {\n${lines(59)}}`,
    `const g = () => {\n${lines(58)}};`,
    `describe('d', () => {\n${lines(70)}});`,
    `test.each([1])('t', () => {\n${lines(70)}});`,
    `class C { m() {\n${lines(60)}} }`,
    `run(() => {\n${lines(60)}});`,
  ].join('\n');
  const findings = tooLongFunctions([file('a.ts', code)]).map((finding) => finding.replace(/a\.ts:\d+ /, ''));
  expect(findings).toEqual(['f has 61 lines', 'm has 62 lines', 'a function has 62 lines']);
});

test('names that say nothing', () => {
  const names = [
    'libs/a/src/string-utils.ts',
    'libs/common/src/a.ts',
    'libs/a/src/commonality.ts',
    'libs/a/helpers.ts',
  ];
  expect(emptyNames(names.map((name) => file(name)))).toHaveLength(3);
  expect(
    oddNames([file('a/fooBar.ts'), file('a/foo_bar.ts'), file('a/foo-bar.property.spec.ts')]),
  ).toHaveLength(2);
});

test('notes, machine paths and addresses', () => {
  const note = ['TO', 'DO'].join('');
  expect(openNotes([file('a.ts', `// ${note}: x\n// ${note.toLowerCase()}s`)])).toHaveLength(1);
  expect(
    machinePaths([file('a.md', ['', 'work', 'main'].join('/')), file('b.md', 'a/network/b')]),
  ).toHaveLength(1);
  expect(
    downloadAddresses([file('package-lock.json', '  "resolved": "https://r.example/x.tgz",')]),
  ).toHaveLength(1);
});

test('tests that are switched off, and specs that wait', () => {
  const off = ['test', 'only'].join('.');
  const skipped = ['x', 'it('].join('');
  const waits = ['await sleep', '(10)'].join('');
  expect(
    switchedOffTests([file('a.spec.ts', `${off}('a')\n${skipped}'b')\nexit('c')\nfit.x()`)]),
  ).toHaveLength(2);
  expect(waitingSpecs([file('a.spec.ts', waits), file('b.ts', waits)])).toHaveLength(1);
  const write = ['console', 'log("x")'].join('.');
  expect(consoleUses([file('libs/a/src/a.ts', write), file('examples/a.ts', write)])).toHaveLength(1);
});

test('exports without a name', () => {
  const code = [
    'export default 1;',
    'export default function f() {}',
    'export default class {}',
    'export const a = 1;',
  ];
  expect(defaultExports(code.map((text, index) => file(`${index}.ts`, text)))).toHaveLength(3);
  const door = "export * from './a.js';\nexport { b } from './b.js';\nexport type * from './c.js';";
  expect(
    unnamedExports([file('libs/a/src/index.ts', door), file('libs/kernel/src/index.ts', door)]),
  ).toHaveLength(1);
});

describe('packages', () => {
  const manifest = (name: string, extra: object = {}): SourceFile =>
    file(
      `libs/${name}/package.json`,
      JSON.stringify({
        name: `@spillway/${name}`,
        exports: { './package.json': './package.json', '.': { '@spillway/source': './src/index.ts' } },
        ...extra,
      }),
    );
  const dependencies = { '@spillway/b': '0.0.0', ms: '2' };
  const tree = [
    manifest('a', { dependencies }),
    file('libs/a/src/index.ts', "import { b } from '@spillway/b';\nexport { x } from './x.js';"),
    file('libs/a/src/x.ts', "import ms from 'ms';\nimport 'node:fs';\nconst z = import('zod');"),
    file('libs/a/src/x.spec.ts', "import { door } from '@spillway/c';\nimport './only-for-specs.js';"),
    file('libs/a/src/only-for-specs.ts'),
    file('libs/a/src/lost.ts', "import '../../b/src/index.js';\nimport '@spillway/b/src/deep.js';"),
    manifest('b', { exports: { '.': { '@spillway/source': './src/other.ts' }, './deep': {} } }),
    file('libs/b/src/index.ts'),
    manifest('c', { dependencies }),
    file('libs/c/src/index.ts', "export { a } from '@spillway/a';"),
  ];
  const packages = packagesOf(tree);

  test('their arrows', () => expect(importGraph(packages)).toBe('a > b\nb >\nc > a\n'));
  test('doors that are not the door', () => expect(extraDoors(packages)).toHaveLength(2));
  test('ways past the door', () =>
    expect(deepImports(packages)).toEqual([
      'libs/a/src/lost.ts imports ../../b/src/index.js, past the door',
      'libs/a/src/lost.ts imports @spillway/b/src/deep.js, past the door',
    ]));
  test('imports that are not declared', () =>
    expect(undeclaredImports(packages)).toEqual([
      'libs/a/src/x.ts imports zod, which its package.json does not name',
      'libs/a/src/x.spec.ts imports @spillway/c, which its package.json does not name',
      'libs/c/src/index.ts imports @spillway/a, which its package.json does not name',
    ]));
  test('dependencies that are not used', () =>
    expect(unusedDependencies(packages)).toEqual([
      'libs/c declares @spillway/b and does not import it',
      'libs/c declares ms and does not import it',
    ]));
  test('circles', () =>
    expect(circles(packages)).toEqual([
      '@spillway/a is in a circle of imports',
      '@spillway/c is in a circle of imports',
    ]));
  test('files that nothing leads to', () =>
    expect(orphans(packages)).toEqual(['libs/a/src/lost.ts is used by nothing']));
});
