/**
 * The main thread's side of the spill thread: turns calls into messages and answers into promises. When the thread ends
 * unexpectedly, everything under way fails, and the next call starts another one: its files are still there.
 */
import { types } from 'node:util';
import { Worker } from 'node:worker_threads';
import { assertNever } from '@spillway/kernel';
import { ENCODINGS } from '@spillway/messages';
import type { SpillCounters } from '@spillway/ports';
import type { SpillCompression } from '../disk/compression-choice.js';
import type {
  ReadBack,
  RecordPosition,
  SpillDisk,
  SpillFailure,
  ValueToWrite,
  Written,
} from '../disk/spill-disk.js';
import { Tally } from '../disk/tally.js';
import { segmentPath } from './segment-files.js';
import {
  packValues,
  type FromSpillThread,
  type SpillThreadSettings,
  type ToSpillThread,
} from './thread-protocol.js';

export interface SpillThreadOptions {
  /** A built file whose body calls `runSpillThread()`. */
  readonly entry: URL;
  /** Where the files go; `SpillFolder.path`. The thread keeps its owner file fresh. */
  readonly folder: string;
  /** Default `auto`. */
  readonly compression?: SpillCompression;
  /** The thread ended although nobody closed it. For display only: the next call starts another. */
  readonly onEnded?: (reason: string) => void;
}

/** A thread that ends again and again is not started for ever. */
const STARTS_MAX = 5;
/** Its heap holds lists of positions; bulk is outside of it. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 };

type Answer = Exclude<FromSpillThread, { type: 'closed' | 'collected' }>;
type Pending =
  | {
      readonly type: 'written';
      readonly count: number;
      readonly resolve: (results: readonly Written[]) => void;
    }
  | { readonly type: 'read-back'; readonly resolve: (result: ReadBack) => void }
  | { readonly type: 'closed' | 'collected'; readonly resolve: () => void };

export class SpillThread implements SpillDisk {
  readonly #tally = new Tally();
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #startCount = 0;
  #nextId = 1;
  #closing: Promise<void> | undefined;

  constructor(private readonly options: SpillThreadOptions) {}

  get counters(): SpillCounters {
    return this.#tally.read();
  }

  pathOf(segment: number): string {
    return segmentPath(this.options.folder, segment);
  }

  write(values: readonly ValueToWrite[]): Promise<readonly Written[]> {
    const [first] = values;
    if (first === undefined) return Promise.resolve([]);
    if (values.length === 1 && types.isSharedArrayBuffer(first.payload.data.buffer))
      return this.#askWritten(1, (id) => ({ message: { type: 'write-large', id, value: first } }));
    // What is not shared is copied once and changes hands: cloning a view would clone the whole buffer behind it.
    const packed = packValues(values, (encoding) => ENCODINGS.indexOf(encoding));
    const transfers = [packed.bytes.buffer, packed.encodings.buffer, packed.lengths.buffer];
    if (values.length === 1) {
      const value = { key: first.key, payload: { encoding: first.payload.encoding, data: packed.bytes } };
      return this.#askWritten(1, (id) => ({
        message: { type: 'write-large', id, value },
        transfers: [packed.bytes.buffer],
      }));
    }
    return this.#askWritten(values.length, (id) => ({
      message: { type: 'write-small', id, values: packed },
      transfers,
    }));
  }

  read(key: ValueToWrite['key'], position: RecordPosition): Promise<ReadBack> {
    return new Promise((resolve) => {
      const worker = this.#running();
      if (worker === undefined) resolve(UNREADABLE);
      else
        worker.postMessage(
          this.#expect({ type: 'read-back', resolve }, (id) => ({ type: 'read', id, key, position })),
        );
    });
  }

  copy(positions: readonly RecordPosition[]): Promise<readonly Written[]> {
    return this.#askWritten(positions.length, (id) => ({ message: { type: 'copy', id, positions } }));
  }

  sealSegment(segment: number): void {
    this.#running()?.postMessage({ type: 'seal', segment } satisfies ToSpillThread);
  }

  deleteSegment(segment: number): void {
    this.#running()?.postMessage({ type: 'delete', segment } satisfies ToSpillThread);
  }

  /** Has the thread collect its garbage, and with it the shared buffers that only it still refers to. */
  collectGarbage(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#worker === undefined) resolve();
      else
        this.#worker.postMessage(
          this.#expect({ type: 'collected', resolve }, (id) => ({ type: 'collect', id })),
        );
    });
  }

  /** Finishes what was asked, and ends the thread. The files stay. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    await new Promise<void>((resolve) => {
      worker.postMessage(this.#expect({ type: 'closed', resolve }, (id) => ({ type: 'close', id })));
    });
    await worker.terminate();
  }

  #askWritten(
    count: number,
    ask: (id: number) => { readonly message: ToSpillThread; readonly transfers?: readonly ArrayBuffer[] },
  ): Promise<readonly Written[]> {
    return new Promise((resolve) => {
      const worker = this.#running();
      if (worker === undefined) {
        resolve(allFailed(count));
        return;
      }
      const id = this.#nextId++;
      this.#pending.set(id, { type: 'written', count, resolve });
      const { message, transfers } = ask(id);
      worker.postMessage(message, transfers);
    });
  }

  #expect(pending: Pending, ask: (id: number) => ToSpillThread): ToSpillThread {
    const id = this.#nextId++;
    this.#pending.set(id, pending);
    return ask(id);
  }

  /** The thread, started if need be; `undefined` when there is none to be had. */
  #running(): Worker | undefined {
    if (this.#closing !== undefined) return undefined;
    return (this.#worker ??= this.#startCount < STARTS_MAX ? this.#start() : undefined);
  }

  #start(): Worker {
    this.#startCount++;
    const { entry, folder, compression = 'auto' } = this.options;
    const workerData: SpillThreadSettings = { folder, compression, tally: this.#tally.memory };
    const worker = new Worker(entry, { workerData, name: 'spillway-spill', resourceLimits: RESOURCE_LIMITS });
    worker.on('message', (message: FromSpillThread) => this.#handle(message));
    worker.on('error', (error) =>
      this.#ended(worker, error instanceof Error ? error.message : String(error)),
    );
    worker.on('exit', (code) => this.#ended(worker, `it exited with code ${code}`));
    return worker;
  }

  #handle(message: FromSpillThread): void {
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (pending === undefined) return;
    if (message.type === 'written' || message.type === 'read-back') settle(pending, message);
    else if (pending.type === 'closed' || pending.type === 'collected') pending.resolve();
  }

  #ended(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const each of pending) failPending(each);
    if (this.#closing === undefined) this.options.onEnded?.(reason);
  }
}

const ENDED: SpillFailure = { reason: 'thread-ended', message: 'The spill thread of this worker has ended.' };
const UNREADABLE: ReadBack = { ok: false, reason: 'unavailable', message: ENDED.message };

const allFailed = (count: number): Written[] =>
  Array.from({ length: count }, () => ({ ok: false, ...ENDED }));

function settle(pending: Pending, answer: Answer): void {
  if (pending.type === 'written' && answer.type === 'written') pending.resolve(answer.results);
  else if (pending.type === 'read-back' && answer.type === 'read-back') pending.resolve(answer.result);
}

function failPending(pending: Pending): void {
  switch (pending.type) {
    case 'written':
      pending.resolve(allFailed(pending.count));
      break;
    case 'read-back':
      pending.resolve(UNREADABLE);
      break;
    case 'closed':
    case 'collected':
      pending.resolve();
      break;
    default:
      assertNever(pending, 'pending request to the spill thread');
  }
}
