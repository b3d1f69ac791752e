import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVENT_NAMES } from './event-names.js';

const ROOT = join(import.meta.dirname, '../../..');
/** The unions of events that the machines can ask to be logged, read as text: telemetry may not import machines. */
const UNIONS = [
  'libs/scheduler/machine/src/instructions.ts',
  'libs/nanny/machine/src/instructions.ts',
  'libs/worker/memory/src/instructions.ts',
];

function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory())
      return ['node_modules', 'dist', 'out-tsc', 'testing'].includes(entry.name) ? [] : sourceFiles(path);
    return /(?<!\.spec|\.d)\.ts$/.test(entry.name) ? [path] : [];
  });
}

function namesIn(files: readonly string[], pattern: RegExp): string[] {
  const names = files.flatMap((file) =>
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(pattern)].map((match) => match[1] ?? ''),
  );
  return [...new Set(names)];
}

const declared = namesIn(UNIONS, /'([a-z]+\.[a-z-]+)'/g);
const logged = namesIn([...sourceFiles('libs'), ...sourceFiles('apps')], /\bevent:\s*'([a-z-]+\.[a-z-]+)'/g);

test('every event of the machines and of any log line is in the table', () => {
  expect(declared.length).toBeGreaterThan(10);
  expect([...declared, ...logged].filter((name) => !Object.hasOwn(EVENT_NAMES, name))).toEqual([]);
});

test('the table has no event that nothing logs', () => {
  const known = new Set([...declared, ...logged]);
  expect(Object.keys(EVENT_NAMES).filter((name) => !known.has(name))).toEqual([]);
});

test('every event is explained by a sentence', () => {
  for (const sentence of Object.values(EVENT_NAMES)) expect(sentence).toMatch(/^[A-Z].{20,}\.$/);
});
