// `npm test`: everything that must hold before a change lands, cheapest first. Goes on after a failure, so that one run
// tells all; the last line is `N passed, N failed` over all tests and checks, and the exit code says the same.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'spillway-test-'));
const env = { ...process.env, CI: 'true', NX_DAEMON: 'false', NX_ISOLATE_PLUGINS: 'false', NX_TUI: 'false' };
const only = process.argv.slice(2);
let passed = 0;
let failed = 0;
const failures = [];

/** No step takes a fraction of this; one that hangs is a failure, not a CI run that never ends. */
const STEP_MS_MAX = 20 * 60_000;

function run(command, args) {
  const options = { stdio: 'inherit', env, timeout: STEP_MS_MAX };
  return spawnSync('npx', ['--no-install', command, ...args], options).status === 0;
}

function check(name, command, args) {
  if (only.length > 0 && !only.includes(name)) return;
  process.stdout.write(`\n=== ${name}: ${command} ${args.join(' ')}\n`);
  const startedAt = Date.now();
  const ok = run(command, args);
  ok ? passed++ : (failed++, failures.push(name));
  process.stdout.write(
    `=== ${name}: ${ok ? 'ok' : 'FAILED'} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)\n`,
  );
}

function suite(name, args) {
  if (only.length > 0 && !only.includes(name)) return;
  process.stdout.write(`\n=== ${name}: jest ${args.join(' ')}\n`);
  const outputFile = join(folder, `${name}.json`);
  run('jest', [...args, '--json', `--outputFile=${outputFile}`]);
  try {
    const result = JSON.parse(readFileSync(outputFile, 'utf8'));
    passed += result.numPassedTests;
    // A suite that could not even start has no tests to count.
    const broken = result.numFailedTests + result.numRuntimeErrorTestSuites;
    failed += broken;
    if (broken > 0 || !result.success) failures.push(name);
    if (!result.success && broken === 0) failed++;
  } catch {
    failed++;
    failures.push(name);
  }
}

check('format', 'prettier', ['--check', '.', '--log-level', 'warn']);
check('codegen', 'nx', ['run', 'proto:codegen']);
check('proto-lint', 'nx', ['run', 'proto:lint']);
check('sync', 'nx', ['sync:check']);
check('lint', 'eslint', ['.', '--max-warnings', '0']);
check('types', 'tsc', ['-b', 'tsconfig.json', '--pretty', 'false']);
check('build', 'nx', ['run', 'cli:bundle']);
// By itself Jest leaves a core idle, and of two that is half of the machine.
suite('unit', ['--maxWorkers=2', '--selectProjects', ...unitProjects()]);
suite('e2e', ['--selectProjects', 'e2e', '--runInBand']);

function unitProjects() {
  const { stdout } = spawnSync('npx', ['--no-install', 'jest', '--showConfig'], { env, maxBuffer: 1 << 28 });
  const { configs } = JSON.parse(stdout.toString());
  return configs.map(({ id, displayName }) => displayName?.name ?? id).filter((name) => name !== 'e2e');
}

rmSync(folder, { recursive: true, force: true });
process.stdout.write(
  failures.length === 0 ? '\nAll checks and suites passed.\n' : `\nFailed: ${failures.join(', ')}\n`,
);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
