/**
 * The journal in a folder. What is appended while a write is under way goes out together with the next one, and one
 * `fdatasync` serves all who wait for theirs (group commit); what nobody waits for is synced within a second. Segments
 * that are full are made into a base as soon as they are more than what the last base held.
 */
import { open, mkdir, readFile, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { LimitExceededError, ProgramStartError } from '@spillway/kernel';
import type { JournalRecord } from '@spillway/messages';
import { codeOf, formatOwner, OWNER_FILE, parseOwner, stateOf, thisProcess } from '@spillway/platform';
import type { Cancellable, Journal, Timers } from '@spillway/ports';
import type { Compact } from './compaction.js';
import { FILE_HEAD, frameOf } from './frames.js';
import {
  basePath,
  cutOff,
  listFiles,
  readState,
  segmentPath,
  type Damage,
  type FileNumbers,
} from './journal-files.js';
import type { JournalState } from '@spillway/messages';

const SEGMENT_BYTES = 32 * 2 ** 20;
/** Less than this is not worth a compaction. */
const COMPACTED_BYTES_MIN = 64 * 2 ** 20;
/** A disk that is so far behind will not catch up. */
const PENDING_BYTES_MAX = 256 * 2 ** 20;
/** What nobody waits for reaches the disk within this. */
const SYNC_MS = 1000;

export interface FileJournalOptions {
  /** Made when it does not exist. One scheduler at a time. */
  readonly folder: string;
  readonly timers: Timers;
  readonly compact: Compact;
  /** Nothing is written any more, and nothing is left to recover from: the scheduler goes on without. Called once. */
  readonly onFailed: (error: unknown) => void;
  readonly onCompactionFailed: (error: unknown) => void;
  /** Default 32 MiB. */
  readonly segmentBytes?: number;
  /** Default 64 MiB. */
  readonly compactedBytesMin?: number;
}

export interface OpenedJournal {
  readonly journal: FileJournal;
  /** What the scheduler's lives before left. */
  readonly state: JournalState;
  /** What could not be read and was cut off: the end of what was written when the scheduler died. */
  readonly damage: Damage | undefined;
}

interface Waiter {
  /** How many frames have to be durable. */
  readonly count: number;
  readonly call: () => void;
}

export class FileJournal implements Journal {
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #appended = 0;
  #written = 0;
  #durable = 0;
  #waiters: Waiter[] = [];
  #isWriting = false;
  #isOver = false;
  #idle: (() => void)[] = [];
  #sync: Cancellable | undefined;
  #segmentBytes = FILE_HEAD.length;
  /** Of full segments since the last base, and of that base. */
  #closedBytes: number;
  #isCompacting: Promise<void> | undefined;

  private constructor(
    private readonly options: FileJournalOptions,
    private file: FileHandle,
    private number: number,
    closedBytes: number,
    private baseBytes: number,
  ) {
    this.#closedBytes = closedBytes;
  }

  /**
   * Throws `ProgramStartError` when another scheduler uses the folder, when it cannot be read or written, or when it holds
   * what this version does not understand.
   */
  static async open(options: FileJournalOptions): Promise<OpenedJournal> {
    try {
      return await FileJournal.#open(options);
    } catch (error) {
      if (error instanceof ProgramStartError) throw error;
      throw new ProgramStartError(
        `The journal in ${options.folder} cannot be used: ${error instanceof Error ? error.message : String(error)} ` +
          `Mend that, remove the folder (what it knows is lost then), or start without a journal (--no-journal).`,
        { cause: error, details: { folder: options.folder } },
      );
    }
  }

  static async #open(options: FileJournalOptions): Promise<OpenedJournal> {
    const { folder } = options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await own(folder);
    const files = await listFiles(folder);
    const { state, damage } = await readState(folder, files);
    if (damage !== undefined) await cutOff(folder, files, damage);
    const number = Math.max(files.base, ...files.segments) + 1;
    const file = await newSegment(folder, number);
    const sizes = await sizesOf(folder, files);
    return { journal: new FileJournal(options, file, number, sizes.segments, sizes.base), state, damage };
  }

  append(records: readonly JournalRecord[]): void {
    if (this.#isOver) return;
    const frame = frameOf(records);
    this.#pending.push(frame);
    this.#pendingBytes += frame.length;
    this.#appended += 1;
    if (this.#pendingBytes > PENDING_BYTES_MAX)
      this.#fail(
        new LimitExceededError(`The disk is ${this.#pendingBytes} bytes behind what is written to it.`),
      );
    else this.#work();
  }

  afterwards(call: () => void): void {
    if (this.#isOver || this.#durable === this.#appended) call();
    else {
      this.#waiters.push({ count: this.#appended, call });
      this.#work();
    }
  }

  /** Writes out what is pending. `keep`: for a next life of the scheduler; else nothing is left. */
  async close({ keep }: { readonly keep: boolean }): Promise<void> {
    this.#work();
    if (this.#isWriting) await new Promise<void>((resolve) => this.#idle.push(resolve));
    await this.#isCompacting;
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sync?.cancel();
    await this.file.close();
    if (!keep) await rm(this.options.folder, { recursive: true, force: true });
  }

  /** Resolves when no compaction is under way. */
  async compacted(): Promise<void> {
    await this.#isCompacting;
  }

  #work(): void {
    if (this.#isWriting || this.#isOver) return;
    this.#isWriting = true;
    this.#write()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#isWriting = false;
        for (const resolve of this.#idle.splice(0)) resolve();
      });
  }

  async #write(): Promise<void> {
    // What is said in this turn goes out together.
    await Promise.resolve();
    while (!this.#isOver && (this.#pending.length > 0 || this.#waiters.length > 0)) {
      const frames = this.#pending;
      const bytes = this.#pendingBytes;
      this.#pending = [];
      this.#pendingBytes = 0;
      if (frames.length > 0) await writeAll(this.file, frames);
      this.#written += frames.length;
      this.#segmentBytes += bytes;
      if (this.#waiters.length > 0) await this.#makeDurable();
      if (this.#segmentBytes >= (this.options.segmentBytes ?? SEGMENT_BYTES)) await this.#nextSegment();
    }
    if (this.#durable < this.#written && !this.#isOver)
      this.#sync ??= this.options.timers.after(SYNC_MS, () => {
        this.#sync = undefined;
        this.afterwards(() => undefined);
      });
  }

  async #makeDurable(): Promise<void> {
    const written = this.#written;
    await this.file.datasync();
    this.#durable = written;
    const isDone = ({ count }: Waiter): boolean => count <= written;
    const done = this.#waiters.filter(isDone);
    this.#waiters = this.#waiters.filter((waiter) => !isDone(waiter));
    for (const { call } of done) call();
  }

  async #nextSegment(): Promise<void> {
    await this.file.datasync();
    await this.file.close();
    this.#closedBytes += this.#segmentBytes;
    this.#segmentBytes = FILE_HEAD.length;
    const closed = this.number;
    this.number += 1;
    this.file = await newSegment(this.options.folder, this.number);
    const isWorthIt =
      this.#closedBytes >= Math.max(this.options.compactedBytesMin ?? COMPACTED_BYTES_MIN, this.baseBytes);
    if (isWorthIt && this.#isCompacting === undefined) this.#isCompacting = this.#compact(closed);
  }

  async #compact(upTo: number): Promise<void> {
    const bytes = this.#closedBytes;
    try {
      await this.options.compact(this.options.folder, upTo);
      this.baseBytes = (await stat(basePath(this.options.folder, upTo))).size;
      this.#closedBytes -= bytes;
    } catch (error) {
      // Nothing is lost: the segments are all there, and the next full one is another chance.
      this.options.onCompactionFailed(error);
    } finally {
      this.#isCompacting = undefined;
    }
  }

  /** Half a journal would bring back what is not true any more, so nothing of it stays. */
  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sync?.cancel();
    this.#pending = [];
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { call } of waiters) call();
    // It may be closed already: between two segments there is none.
    this.file.close().catch(() => undefined);
    void rm(this.options.folder, { recursive: true, force: true })
      .catch(() => undefined)
      .then(() => this.options.onFailed(error));
  }
}

/** Throws `ProgramStartError` when the folder belongs to a scheduler that lives. */
async function own(folder: string): Promise<void> {
  const path = join(folder, OWNER_FILE);
  const owner = await readFile(path, 'utf8').then(parseOwner, () => undefined);
  // One that cannot be looked up is taken for dead: it was in another container, or before the machine started again.
  if (owner !== undefined && owner.pid !== process.pid && stateOf(owner) === 'alive')
    throw new ProgramStartError(
      `The journal in ${folder} is in use by process ${owner.pid}. Give this scheduler another ` +
        `journal folder (--journal-directory), or none (--no-journal).`,
      { details: { folder, pid: String(owner.pid) } },
    );
  await writeFile(path, formatOwner(thisProcess()), { mode: 0o600 });
}

async function newSegment(folder: string, number: number): Promise<FileHandle> {
  const file = await open(segmentPath(folder, number), 'wx', 0o600);
  await file.write(FILE_HEAD);
  return file;
}

/** `writev` may write less than it was given. */
async function writeAll(file: FileHandle, frames: readonly Buffer[]): Promise<void> {
  const bytes = Buffer.concat(frames);
  for (let offset = 0; offset < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, offset);
    offset += bytesWritten;
  }
}

async function sizesOf(
  folder: string,
  { base, segments }: FileNumbers,
): Promise<{ readonly base: number; readonly segments: number }> {
  const sizeOf = async (path: string): Promise<number> => {
    try {
      return (await stat(path)).size;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return 0;
      throw error;
    }
  };
  let bytes = 0;
  for (const number of segments) bytes += await sizeOf(segmentPath(folder, number));
  return { base: base === 0 ? 0 : await sizeOf(basePath(folder, base)), segments: bytes };
}
