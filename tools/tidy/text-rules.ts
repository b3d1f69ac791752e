/** Rules that a look at paths and lines can settle. The words they look for are put together here, so that they do not find themselves. */
import { isSpec, isTypeScript, linesMatching, type Finding, type SourceFile } from './source-tree.js';

const LINES_MAX = 400;

/** Files that may be longer, with the length they may not exceed: to be shortened, never to be raised. */
const LONG_FILES: Readonly<Record<string, number>> = {};

const BANNED_WORDS = new Set(['util', 'utils', 'helper', 'helpers', 'common', 'misc', 'manager', 'base']);
const OPEN_NOTES = new RegExp(`\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`);
const MACHINE_PATHS = new RegExp(`/(?:work|root|farm)/|/tmp/[b]ash_jobs`);
const SWITCHED_OFF = /\b(?:it|test|describe)\.(?:only|skip|todo)\b|\b[xf](?:it|describe|test)\(/;
const WAITING = /await (?:sleep|delay|setTimeout)\(/;

export const tooLongFiles = (files: readonly SourceFile[]): Finding[] =>
  files.filter(isTypeScript).flatMap(({ path, text }) => {
    const lineCount = text.replace(/\n$/, '').split('\n').length;
    return lineCount > (LONG_FILES[path] ?? LINES_MAX)
      ? [`${path} has ${lineCount} lines: is it one idea?`]
      : [];
  });

/** Names that say nothing: a file is called after the one thing in it. */
export const emptyNames = (files: readonly SourceFile[]): Finding[] =>
  files.filter(isTypeScript).flatMap(({ path }) => {
    const word = path.split(/[/.-]/).find((part) => BANNED_WORDS.has(part));
    return word === undefined ? [] : [`${path}: "${word}" does not say what is in it`];
  });

/** Files are kebab-case. */
export const oddNames = (files: readonly SourceFile[]): Finding[] =>
  files
    .filter(isTypeScript)
    .filter(
      ({ path }) => !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9-]+)*\.tsx?$/.test(path.split('/').at(-1) ?? ''),
    )
    .map(({ path }) => `${path} is not kebab-case`);

export const openNotes = (files: readonly SourceFile[]): Finding[] =>
  files
    .filter((file) => isTypeScript(file) || /\.(?:proto|mjs|cjs)$/.test(file.path))
    .flatMap((file) => linesMatching(file, OPEN_NOTES, 'left open'));

export const machinePaths = (files: readonly SourceFile[]): Finding[] =>
  files.flatMap((file) => linesMatching(file, MACHINE_PATHS, 'a path of this machine'));

/** The lock file works with any registry only if it names none. */
export const downloadAddresses = (files: readonly SourceFile[]): Finding[] =>
  files
    .filter(({ path }) => path.endsWith('package-lock.json'))
    .flatMap((file) => linesMatching(file, /"resolved": *"http/, 'a download address').slice(0, 3));

export const switchedOffTests = (files: readonly SourceFile[]): Finding[] =>
  files.filter(isTypeScript).flatMap((file) => linesMatching(file, SWITCHED_OFF, 'a test switched off'));

export const waitingSpecs = (files: readonly SourceFile[]): Finding[] =>
  files.filter(isSpec).flatMap((file) => linesMatching(file, WAITING, 'waits for time, not for an event'));

/** Libraries have a logger, programs have stdout; `console` is for examples. */
export const consoleUses = (files: readonly SourceFile[]): Finding[] =>
  files
    .filter(
      (file) => isTypeScript(file) && !isSpec(file) && /^(?:libs|apps)\/(?!.*\/fixtures\/)/.test(file.path),
    )
    .flatMap((file) => linesMatching(file, /(?<![\w.'"`])console\.\w+\(/, 'writes to the console'));
