import { readFileSync, writeFileSync } from 'node:fs';
import { parseScript, rewriteScript, runScriptFile, scriptFiles, type CommandRunner } from './script.js';
import { TempFolder } from './temp-folder.js';

const SCRIPT = `# A counter counts.
add 2
----
total 2

# Twice as much.
add 3 times=2
----
total 8
big

reset
----
ok
`;

function counter(): CommandRunner {
  let total = 0;
  return ({ name, words, options }) => {
    if (name === 'reset') {
      total = 0;
      return [];
    }
    total += Number(words[0]) * Number(options['times'] ?? 1);
    return total > 5 ? [`total ${total}`, 'big'] : [`total ${total}`];
  };
}

test('a command is a name with words, options and the lines below it', () => {
  const { blocks } = parseScript('\ngraph a b=1 =c x=y=z\nline one\n  line two\n----\nok\n');
  expect(blocks.map((block) => block.command)).toEqual([
    {
      name: 'graph',
      words: ['a', '=c'],
      options: { b: '1', x: 'y=z' },
      body: ['line one', '  line two'],
      line: 2,
    },
  ]);
});

test('a script that is right stays as it is when it is rewritten', () => {
  expect(rewriteScript(parseScript(SCRIPT), counter())).toBe(SCRIPT);
});

test('a script without its outputs is completed, with its comments kept', () => {
  const bare = SCRIPT.replaceAll(/----\n(?:.+\n)+/g, '----\n') + '\n\n# The end.\n\n';
  expect(rewriteScript(parseScript(bare), counter())).toBe(`${SCRIPT}\n# The end.\n`);
});

test.each([
  ['add 1\n', 'line 1: the command has no ---- below it'],
  ['add 1\n----\ntotal 1\n\nadd 2\n\nadd 3\n----\n', 'line 5: the command has no ---- below it'],
  ['add x=1 x=2\n----\n', 'line 1: x=2 is given twice'],
])('what is no script is refused with its line: %j', (text, message) => {
  expect(() => parseScript(text)).toThrow(message);
});

test('an output that would end its own block is refused', () => {
  expect(() => rewriteScript(parseScript('show\n----\n'), () => ['a', '', 'b'])).toThrow('has a blank line');
});

describe('the file of a script', () => {
  test('is compared with what comes out, to the line', async () => {
    await using folder = await TempFolder.create();
    const file = folder.join('counter.txt');
    writeFileSync(file, SCRIPT);
    expect(() => runScriptFile(file, counter(), false)).not.toThrow();

    writeFileSync(file, SCRIPT.replace('total 8', 'total 9'));
    const run = (): void => runScriptFile(file, counter(), false);
    expect(run).toThrow('counter.txt:7: add came out differently');
    expect(run).toThrow(/expected:\n {4}total 9\n {4}big\n {2}came out:\n {4}total 8\n {4}big/);
    expect(readFileSync(file, 'utf8')).toContain('total 9');
  });

  test('is rewritten when that is asked for', async () => {
    await using folder = await TempFolder.create();
    const file = folder.join('counter.txt');
    writeFileSync(file, SCRIPT.replace('total 8', 'total 9'));
    runScriptFile(file, counter(), true);
    expect(readFileSync(file, 'utf8')).toBe(SCRIPT);
  });

  test('without any command is refused, since it could not fail', async () => {
    await using folder = await TempFolder.create();
    writeFileSync(folder.join('b.txt'), '# nothing\n');
    writeFileSync(folder.join('a.txt'), SCRIPT);
    writeFileSync(folder.join('a.md'), '');
    expect(scriptFiles(folder.path)).toEqual([folder.join('a.txt'), folder.join('b.txt')]);
    expect(() => runScriptFile(folder.join('b.txt'), counter(), true)).toThrow('has no commands');
  });
});
