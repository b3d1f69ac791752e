/** Conversations with the machine, as text. `UPDATE_GOLDEN=1` rewrites them: commit only what you can explain. */
import { join } from 'node:path';
import { runScriptFile, scriptFiles } from '@spillway/testkit';
import { Conversation } from './testing/index.js';

const scripts = scriptFiles(join(__dirname, 'golden'));

test('there are scripts to run', () => {
  expect(scripts.length).toBeGreaterThanOrEqual(12);
});

test.each(scripts)('the conversation in %s goes as it is written', (file) => {
  const conversation = new Conversation();
  runScriptFile(file, (command) => conversation.run(command));
});
