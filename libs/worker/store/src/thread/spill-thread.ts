/**
 * The main thread's side of the spill thread: turns calls into messages and answers into promises. When the thread ends
 * unexpectedly, everything under way fails, and the next call starts another one: its files are still there.
 */
import { types } from 'node:util';
import { Worker } from 'node:worker_threads';
import { assertNever } from '@spillway/kernel';
import type { SpillCounters } from '@spillway/ports';
import type { SpillCompression } from '../disk/compression-choice.js';
import type {
  ReadBack,
  RecordPlaces,
  RecordPosition,
  SpillDisk,
  SpillFailure,
  ValueToWrite,
  Written,
} from '../disk/spill-disk.js';
import { Tally } from '../disk/tally.js';
import { Packs } from './pack.js';
import { segmentPath } from './segment-files.js';
import {
  unpackPositions,
  type FromSpillThread,
  type SpillThreadSettings,
  type ToSpillThread,
} from './thread-protocol.js';

export interface SpillThreadOptions {
  /** A built file whose body calls `runSpillThread()`. */
  readonly entry: URL;
  /** Where the files go; `SpillFolder.path`. The thread keeps its owner file fresh. */
  readonly folder: string;
  /** As in the owner file: the worker's name, if its next life may adopt what is there. */
  readonly leavesTo?: string;
  /** Default `auto`. */
  readonly compression?: SpillCompression;
  /** The thread ended although nobody closed it. For display only: the next call starts another. */
  readonly onEnded?: (reason: string) => void;
}

/** A thread that ends again and again is not started for ever. */
const STARTS_MAX = 5;
/** Its heap holds lists of positions; bulk is outside of it. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 };

type Pending =
  | {
      readonly type: 'written';
      readonly count: number;
      readonly resolve: (results: readonly Written[]) => void;
    }
  | { readonly type: 'read-back'; readonly resolve: (result: ReadBack) => void }
  | { readonly type: 'marked'; readonly resolve: (isNoted: boolean) => void }
  | { readonly type: 'closed' | 'collected'; readonly resolve: () => void };

export class SpillThread implements SpillDisk {
  readonly #tally = new Tally();
  readonly #packs = new Packs();
  readonly #pending = new Map<number, Pending>();
  #outbox: ToSpillThread[] = [];
  #outboxTransfers: ArrayBuffer[] = [];
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
    if (values.length === 1) return this.#writeLarge(first);
    return this.#writeSmall(values);
  }

  read(key: ValueToWrite['key'], position: RecordPosition): Promise<ReadBack> {
    return new Promise((resolve) => {
      this.#ask({ type: 'read-back', resolve }, (id) => ({ type: 'read', id, key, position }));
    });
  }

  copy(positions: readonly RecordPosition[]): Promise<readonly Written[]> {
    return this.#askWritten(positions.length, (id) => ({ type: 'copy', id, positions }));
  }

  markDead(records: readonly RecordPlaces[]): Promise<boolean> {
    return new Promise((resolve) => {
      this.#ask({ type: 'marked', resolve }, (id) => ({ type: 'mark-dead', id, records }));
    });
  }

  sealSegment(segment: number): void {
    this.#tell({ type: 'seal', segment });
  }

  deleteSegment(segment: number): void {
    this.#tell({ type: 'delete', segment });
  }

  /** Has the thread collect its garbage, and with it the shared buffers that only it still refers to. */
  collectGarbage(): Promise<void> {
    if (this.#worker === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#ask({ type: 'collected', resolve }, (id) => ({ type: 'collect', id }));
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
      this.#ask({ type: 'closed', resolve }, (id) => ({ type: 'close', id }));
    });
    await worker.terminate();
  }

  async #writeSmall(values: readonly ValueToWrite[]): Promise<readonly Written[]> {
    const pack = this.#packs.pack(values);
    const results = await this.#askWritten(values.length, (id) => ({
      type: 'write-small',
      id,
      values: pack,
    }));
    // Answered, or its thread has ended: nobody reads it any more.
    this.#packs.giveBack(pack);
    return results;
  }

  #writeLarge({ key, payload: { encoding, data } }: ValueToWrite): Promise<readonly Written[]> {
    const isShared = types.isSharedArrayBuffer(data.buffer);
    // What is not shared is copied once and changes hands: cloning a view would clone the whole buffer behind it.
    const own = isShared ? data : new Uint8Array(data);
    const transfers = isShared ? [] : [own.buffer as ArrayBuffer];
    const value = { key, payload: { encoding, data: own } };
    return this.#askWritten(1, (id) => ({ type: 'write-large', id, value }), transfers);
  }

  #askWritten(
    count: number,
    message: (id: number) => ToSpillThread,
    transfers: readonly ArrayBuffer[] = [],
  ): Promise<readonly Written[]> {
    return new Promise((resolve) => this.#ask({ type: 'written', count, resolve }, message, transfers));
  }

  #tell(message: ToSpillThread): void {
    const worker = this.#running();
    if (worker !== undefined) this.#post(worker, message);
  }

  /** Every request is answered, if need be with a failure. */
  #ask(
    pending: Pending,
    message: (id: number) => ToSpillThread,
    transfers: readonly ArrayBuffer[] = [],
  ): void {
    const worker = pending.type === 'closed' ? this.#worker : this.#running();
    if (worker === undefined) {
      failPending(pending);
      return;
    }
    const id = this.#nextId++;
    this.#pending.set(id, pending);
    this.#post(worker, message(id), transfers);
  }

  /** All that is asked in one go travels in one message. */
  #post(worker: Worker, message: ToSpillThread, transfers: readonly ArrayBuffer[] = []): void {
    if (this.#outbox.length === 0) queueMicrotask(() => this.#flush(worker));
    this.#outbox.push(message);
    this.#outboxTransfers.push(...transfers);
  }

  /** A thread that has ended meanwhile takes no notice; what it was asked has failed already. */
  #flush(worker: Worker): void {
    const [messages, transfers] = [this.#outbox, this.#outboxTransfers];
    this.#outbox = [];
    this.#outboxTransfers = [];
    worker.postMessage(messages, transfers);
  }

  /** The thread, started if need be; `undefined` when there is none to be had. */
  #running(): Worker | undefined {
    if (this.#closing !== undefined) return undefined;
    return (this.#worker ??= this.#startCount < STARTS_MAX ? this.#start() : undefined);
  }

  #start(): Worker {
    this.#startCount++;
    const { entry, folder, leavesTo, compression = 'auto' } = this.options;
    const workerData: SpillThreadSettings = { folder, leavesTo, compression, tally: this.#tally.memory };
    const worker = new Worker(entry, { workerData, name: 'spillway-spill', resourceLimits: RESOURCE_LIMITS });
    worker.on('message', (messages: readonly FromSpillThread[]) => {
      for (const message of messages) this.#handle(message);
    });
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
    settle(pending, message);
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

function settle(pending: Pending, answer: FromSpillThread): void {
  if (pending.type === 'written') {
    if (answer.type === 'written') pending.resolve(answer.results);
    else if (answer.type === 'packed') pending.resolve(unpackPositions(answer.positions));
  } else if (pending.type === 'read-back') {
    if (answer.type === 'read-back') pending.resolve(answer.result);
  } else if (pending.type === 'marked') {
    if (answer.type === 'marked') pending.resolve(answer.isNoted);
  } else pending.resolve();
}

function failPending(pending: Pending): void {
  switch (pending.type) {
    case 'written':
      pending.resolve(allFailed(pending.count));
      break;
    case 'read-back':
      pending.resolve(UNREADABLE);
      break;
    case 'marked':
      pending.resolve(false);
      break;
    case 'closed':
    case 'collected':
      pending.resolve();
      break;
    default:
      assertNever(pending, 'pending request to the spill thread');
  }
}
