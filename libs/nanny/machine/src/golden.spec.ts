/** Conversations with a nanny, as text. `UPDATE_GOLDEN=1` rewrites them: commit only what you can explain. */
import { basename, join } from 'node:path';
import { runScriptFile, scriptFiles } from '@spillway/testkit';
import { nannyScript } from './testing/index.js';

const files = scriptFiles(join(__dirname, 'golden'));

test('there are conversations', () => {
  expect(files.length).toBeGreaterThanOrEqual(2);
});

test.each(files.map((file) => [basename(file), file]))('%s goes as it is written', (_name, file) => {
  runScriptFile(file, nannyScript());
});
