import type { Journal } from '@spillway/ports';
import { HeldMessages } from './held-messages.js';

/** Writes when the test says so. */
class TestJournal implements Journal {
  readonly #waiting: (() => void)[] = [];
  append(): void {
    // What is written does not matter here.
  }
  afterwards(call: () => void): void {
    this.#waiting.push(call);
  }
  write(): void {
    this.#waiting.shift()?.();
  }
}

test('what is binding waits for the journal, and so does what is said behind it to the same one, in order', () => {
  const journal = new TestJournal();
  const held = new HeldMessages(journal);
  const said: string[] = [];
  const say = (to: string, text: string, isBinding = false): void =>
    held.send(to, isBinding, () => said.push(`${to}: ${text}`));

  say('a', 'one');
  say('a', 'two', true);
  say('a', 'three');
  say('b', 'four');
  say('a', 'five', true);
  expect(said).toEqual(['a: one', 'b: four']);
  journal.write();
  expect(said.slice(2)).toEqual(['a: two', 'a: three']);
  journal.write();
  say('a', 'six');
  expect(said.slice(4)).toEqual(['a: five', 'a: six']);
});

test('without a journal nothing waits', () => {
  const said: string[] = [];
  new HeldMessages(undefined).send('a', true, () => said.push('now'));
  expect(said).toEqual(['now']);
});
