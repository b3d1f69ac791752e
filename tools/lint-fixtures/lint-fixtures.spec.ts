import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The locks of style.md 5.2 hold: each fixture breaks one rule, and the tool that keeps the rule refuses it. */
const root = join(__dirname, '..', '..');
const env = { ...process.env, NX_DAEMON: 'false', NX_ISOLATE_PLUGINS: 'false' };
const fixture = (name: string): string => readFileSync(join(__dirname, 'fixtures', `${name}.ts`), 'utf8');

// Without a cached project graph the boundary rule skips itself, silently but for a warning.
beforeAll(() => {
  const { status } = spawnSync('npx', ['--no-install', 'nx', 'show', 'projects'], { cwd: root, env });
  expect(status).toBe(0);
}, 60_000);

/** Lints a fixture as if it stood in the place of a file of some library. */
function lintAs(path: string, name: string): string[] {
  const { stdout, stderr } = spawnSync(
    'npx',
    ['--no-install', 'eslint', '--format', 'json', '--stdin', '--stdin-filename', path],
    { cwd: root, input: fixture(name), encoding: 'utf8', env },
  );
  expect(stderr).not.toContain('Error:');
  expect(stdout).not.toContain('The rule will be skipped');
  const [result] = JSON.parse(stdout) as { messages: { ruleId: string | null }[] }[];
  return result!.messages.map(({ ruleId }) => ruleId ?? 'parse error');
}

test.each([
  [
    'a machine that imports services',
    'libs/scheduler/machine/src/index.ts',
    'machine-imports-services',
    '@nx/enforce-module-boundaries',
  ],
  [
    'a scheduler library that imports a worker library',
    'libs/scheduler/runtime/src/index.ts',
    'scheduler-imports-worker',
    '@nx/enforce-module-boundaries',
  ],
  [
    'a machine that reads the clock',
    'libs/worker/machine/src/index.ts',
    'machine-reads-the-clock',
    'no-restricted-properties',
  ],
  ['a machine that waits', 'libs/nanny/machine/src/index.ts', 'machine-waits', 'no-restricted-syntax'],
])(
  'lint refuses %s',
  (_what, path, name, rule) => {
    expect(lintAs(path, name)).toContain(rule);
  },
  60_000,
);

test.each([
  ['a machine that opens a file', 'tsconfig.pure.json', 'machine-opens-a-file', /TS2591|TS2307/],
  ['an import past the door of a library', 'tsconfig.base.json', 'library-imports-deep', /TS2307/],
])(
  'the compiler refuses %s',
  (_what, base, name, error) => {
    const folder = mkdtempSync(join(root, 'node_modules', '.lint-fixture-'));
    try {
      writeFileSync(join(folder, 'fixture.ts'), fixture(name));
      const config = {
        extends: join(root, base),
        compilerOptions: { noEmit: true, composite: false, declarationMap: false },
        files: ['fixture.ts'],
      };
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
      const { stdout } = spawnSync('npx', ['--no-install', 'tsc', '-p', folder], {
        cwd: root,
        encoding: 'utf8',
      });
      expect(stdout).toMatch(error);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  60_000,
);
