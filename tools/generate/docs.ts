/**
 * Writes the generated pages of docs/, and the diagrams in the pages about states. With `--check` it writes nothing and
 * exits with 1 when one of them is stale.
 *
 *     node --import tsx --conditions=@spillway/source tools/generate/docs.ts [--check]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SETTINGS } from '@spillway/config';
import { EVENT_NAMES } from '@spillway/telemetry';
import { format, resolveConfig } from 'prettier';
import { readErrorClasses } from './error-classes.js';
import { configPage, errorsPage, eventsPage } from './pages.js';
import { STATES_PAGES, withDiagram } from './states.js';

const ROOT = join(import.meta.dirname, '../..');
const ERRORS = 'libs/kernel/src/errors.ts';

const pages = {
  'docs/config.md': configPage(SETTINGS),
  'docs/errors.md': errorsPage(readErrorClasses(ERRORS, readFileSync(join(ROOT, ERRORS), 'utf8'))),
  'docs/events.md': eventsPage(EVENT_NAMES),
  ...Object.fromEntries(
    STATES_PAGES.map((page) => [page.path, withDiagram(readFileSync(join(ROOT, page.path), 'utf8'), page)]),
  ),
};

function current(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Not there yet, which is as stale as it can be.
    return undefined;
  }
}

async function main(): Promise<void> {
  const isCheck = process.argv.includes('--check');
  for (const [file, markdown] of Object.entries(pages)) {
    const path = join(ROOT, file);
    const text = await format(markdown, { ...(await resolveConfig(path)), parser: 'markdown' });
    if (text === current(path)) continue;
    if (isCheck) {
      process.stderr.write(`${file} is stale: run \`npm run generate\` and commit what it writes.\n`);
      process.exitCode = 1;
    } else {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      process.stdout.write(`${file} written\n`);
    }
  }
}

await main();
