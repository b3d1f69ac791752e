/**
 * The files of a journal. Segments are written one after the other and never changed; a base says what all segments up
 * to its number come to, and takes their place.
 */
import { open, readdir, readFile, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '@spillway/platform';
import { FILE_HEAD, frameOf, readFrames } from './frames.js';
import { JournalState } from '@spillway/messages';

const NAME_PATTERN = /^(segment|base)-(\d{8})$/;
/** Records of a base that are written in one go. */
const BASE_FRAME_RECORDS = 256;

export interface FileNumbers {
  /** Of the newest base; 0 when there is none. */
  readonly base: number;
  /** Of the segments that it does not cover, in order. */
  readonly segments: readonly number[];
}

/** Where what could be read ends, and how much lies behind. */
export interface Damage {
  readonly path: string;
  readonly offset: number;
  readonly droppedBytes: number;
}

export const segmentPath = (folder: string, number: number): string =>
  join(folder, nameOf('segment', number));
export const basePath = (folder: string, number: number): string => join(folder, nameOf('base', number));

/** Rejects with the operating system's error. */
export async function listFiles(folder: string): Promise<FileNumbers> {
  let base = 0;
  const segments: number[] = [];
  for (const name of await readdir(folder)) {
    const [, kind, digits] = NAME_PATTERN.exec(name) ?? [];
    const number = Number(digits);
    if (kind === 'base') base = Math.max(base, number);
    else if (kind === 'segment') segments.push(number);
  }
  return { base, segments: segments.filter((number) => number > base).sort((a, b) => a - b) };
}

/**
 * What the files come to. Reading ends at the first damage, so that what is known is what was true at some time; whether
 * it is cut off is up to the caller. Rejects with the operating system's error.
 */
export async function readState(
  folder: string,
  { base, segments }: FileNumbers,
): Promise<{ readonly state: JournalState; readonly damage: Damage | undefined }> {
  const state = new JournalState();
  const paths = segments.map((number) => segmentPath(folder, number));
  if (base > 0) paths.unshift(basePath(folder, base));
  for (const path of paths) {
    const file = await readFile(path);
    const wholeBytes = readFrames(file, (record) => {
      state.apply(record);
    });
    if (wholeBytes < file.length || file.length === 0)
      return { state, damage: { path, offset: wholeBytes, droppedBytes: file.length - wholeBytes } };
  }
  return { state, damage: undefined };
}

/** Drops what lies behind the damage: the rest of that file, and the files after it. */
export async function cutOff(folder: string, { segments }: FileNumbers, damage: Damage): Promise<void> {
  const paths = segments.map((number) => segmentPath(folder, number));
  for (const path of paths.slice(paths.indexOf(damage.path) + 1)) await rm(path);
  if (damage.offset < FILE_HEAD.length) await rm(damage.path);
  else await truncate(damage.path, damage.offset);
}

/** Puts a base in the place of all files up to `number`. Whole or not at all. */
export async function writeBase(folder: string, number: number, state: JournalState): Promise<void> {
  const path = basePath(folder, number);
  const unfinished = `${path}.new`;
  const file = await open(unfinished, 'w', 0o600);
  try {
    await file.write(FILE_HEAD);
    let records = [];
    for (const record of state.records()) {
      records.push(record);
      if (records.length < BASE_FRAME_RECORDS && record.type !== 'tasks-made') continue;
      await file.write(frameOf(records));
      records = [];
    }
    if (records.length > 0) await file.write(frameOf(records));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
  await removeUpTo(folder, number);
}

/** Removes what a base of this number covers; a file that is gone already is no matter. */
async function removeUpTo(folder: string, number: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, kind, digits] = NAME_PATTERN.exec(name) ?? [];
    const isCovered = kind === 'segment' ? Number(digits) <= number : Number(digits) < number;
    if (kind === undefined || !isCovered) continue;
    await rm(join(folder, name)).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
  }
}

const nameOf = (kind: 'segment' | 'base', number: number): string =>
  `${kind}-${String(number).padStart(8, '0')}`;
