/** Conversations with the machine, as text. `UPDATE_GOLDEN=1` rewrites them: commit only what you can explain. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { replayScript } from './testing/index.js';

const FOLDER = join(__dirname, 'golden');
const scripts = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

test('there are scripts to run', () => {
  expect(scripts.length).toBeGreaterThanOrEqual(12);
});

test.each(scripts)('the conversation in %s goes as it is written', (name) => {
  const path = join(FOLDER, name);
  const written = readFileSync(path, 'utf8');
  const replayed = replayScript(written);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, replayed);
  else expect(replayed).toBe(written);
});
