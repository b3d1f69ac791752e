/**
 * Golden scripts (style.md 5.8): a conversation with a machine as text. A block is a command line, `----`, and what is
 * expected to come out, up to a blank line. `#` lines are comments. A script is run from top to bottom against one fresh
 * machine; what really comes out is compared with the text, or, with `UPDATE_GOLDEN=1` in the environment, written over it.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `compute x y after=z` is the command `compute` with words `x`, `y` and options `{ after: 'z' }`. */
export interface ScriptCommand {
  readonly name: string;
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  /** Lines between the command line and `----`, as they stand. */
  readonly body: readonly string[];
  /** Of the command in its file, from 1. */
  readonly line: number;
}

interface ScriptBlock {
  /** Comments and blank lines before the command, kept when the script is rewritten. */
  readonly before: readonly string[];
  readonly head: readonly string[];
  readonly command: ScriptCommand;
  readonly expected: readonly string[];
}

export interface Script {
  readonly blocks: readonly ScriptBlock[];
  /** Comments behind the last block. */
  readonly after: readonly string[];
}

/** Performs one command and gives its output lines; none are shown as `ok`. */
export type CommandRunner = (command: ScriptCommand) => readonly string[];

const SEPARATOR = '----';
const isComment = (line: string): boolean => line.startsWith('#');
const isBlank = (line: string): boolean => line.trim() === '';

/** Takes a script apart. Throws with the line of what is not in the form above. */
export function parseScript(text: string): Script {
  const lines = text.split('\n').map((line) => line.trimEnd());
  const blocks: ScriptBlock[] = [];
  let at = 0;
  const takeWhile = (test: (line: string) => boolean): string[] => {
    const start = at;
    while (at < lines.length && test(lines[at] ?? '')) at++;
    return lines.slice(start, at);
  };
  for (;;) {
    const before = takeWhile((line) => isBlank(line) || isComment(line));
    if (at === lines.length) return { blocks, after: before };
    const line = at + 1;
    const head = takeWhile((text) => text !== SEPARATOR && !isBlank(text));
    if (lines[at] !== SEPARATOR) throw new Error(`line ${line}: the command has no ${SEPARATOR} below it`);
    at++;
    const expected = takeWhile((text) => !isBlank(text));
    blocks.push({ before, head, command: parseCommand(head, line), expected });
  }
}

function parseCommand(head: readonly string[], line: number): ScriptCommand {
  const [name = '', ...parts] = (head[0] ?? '').split(/\s+/);
  const words: string[] = [];
  const options: Record<string, string> = {};
  for (const part of parts) {
    const equals = part.indexOf('=');
    if (equals <= 0) words.push(part);
    else if (Object.hasOwn(options, part.slice(0, equals)))
      throw new Error(`line ${line}: ${part} is given twice`);
    else options[part.slice(0, equals)] = part.slice(equals + 1);
  }
  return { name, words, options, body: head.slice(1), line };
}

/** The script as it would have to be, given what comes out of each command. */
export function rewriteScript(script: Script, run: CommandRunner): string {
  const parts: string[] = [];
  for (const block of script.blocks) {
    const output = outputOf(block.command, run);
    // One blank line between blocks, whatever there was; none at the top.
    const before = trimBlanks(block.before);
    parts.push([...before, ...block.head, SEPARATOR, ...output].join('\n'));
  }
  const after = trimBlanks(script.after);
  return `${[...parts, ...(after.length > 0 ? [after.join('\n')] : [])].join('\n\n')}\n`;
}

function outputOf(command: ScriptCommand, run: CommandRunner): readonly string[] {
  const lines = run(command).flatMap((line) => line.split('\n'));
  const wrong = lines.find((line) => isBlank(line));
  // It would end the block when the script is read again.
  if (wrong !== undefined)
    throw new Error(`line ${command.line}: the output of ${command.name} has a blank line`);
  return lines.length === 0 ? ['ok'] : lines.map((line) => line.trimEnd());
}

function trimBlanks(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => !isBlank(line));
  const last = lines.findLastIndex((line) => !isBlank(line));
  return first === -1 ? [] : lines.slice(first, last + 1);
}

/** The scripts (`*.txt`) of a folder, sorted. */
export const scriptFiles = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .toSorted()
    .map((name) => join(folder, name));

/**
 * Runs the script of a file. Throws at the first command whose output is not the expected one, with both; with `update`
 * (by default, `UPDATE_GOLDEN=1` in the environment) the file is rewritten instead, and only then.
 */
export function runScriptFile(
  file: string,
  run: CommandRunner,
  update: boolean = process.env['UPDATE_GOLDEN'] === '1',
): void {
  const text = readFileSync(file, 'utf8');
  const script = parseScript(text);
  if (script.blocks.length === 0) throw new Error(`${file} has no commands`);
  if (update) {
    const rewritten = rewriteScript(script, run);
    if (rewritten !== text) writeFileSync(file, rewritten);
    return;
  }
  for (const { command, expected } of script.blocks) compare(file, command, expected, outputOf(command, run));
}

function compare(
  file: string,
  command: ScriptCommand,
  expected: readonly string[],
  output: readonly string[],
): void {
  if (expected.join('\n') === output.join('\n')) return;
  const indented = (lines: readonly string[]): string => lines.map((line) => `    ${line}`).join('\n');
  throw new Error(
    `${file}:${command.line}: ${command.name} came out differently. Run again with UPDATE_GOLDEN=1 to accept it.\n` +
      `  expected:\n${indented(expected)}\n  came out:\n${indented(output)}`,
  );
}
