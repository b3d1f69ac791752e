/**
 * The state of one client: the keys it wants, what it has submitted and not yet said, and what it fetches. All futures
 * of a client are owned by its session. The calls that users see are in client.ts.
 */
import {
  asTaskKey,
  ClusterUnreachableError,
  FutureCancelledError,
  InvalidArgumentError,
  type SpillwayError,
  type TaskKey,
} from '@spillway/kernel';
import type { Payload, SchedulerToClient } from '@spillway/messages';
import type { Timers } from '@spillway/ports';
import { decodeValue } from '@spillway/values';
import type { LargeArgument } from './arguments.js';
import { bounded, type CallOptions } from './call-options.js';
import type { ClusterConnection, ConnectionListener } from './cluster-connection.js';
import { untilDone } from './completion.js';
import {
  makeFuture,
  recordOf,
  stateOf,
  type Future,
  type FutureOwner,
  type SubmissionTicket,
} from './future.js';
import { keyChunks } from './key-chunks.js';
import { PENDING, type KeyRecord } from './key-record.js';
import { KeyNames } from './key-names.js';
import { cancelled, KeyTable, type KeyMessage } from './key-table.js';
import { Outbox } from './outbox.js';
import { errorOf, ResultFetcher } from './result-fetcher.js';
import type { SessionSettings } from './session-settings.js';
import { Submissions } from './submissions.js';
import { contentHash, type CallableFunction, type TaskDraft } from './task-draft.js';
import type { ResolvedTaskOptions } from './task-options.js';
import type { TransferSettings } from './transfers.js';
import { ValueUpload, type DataScattered, type UploadOptions } from './value-upload.js';

export interface SessionParts {
  readonly connection: ClusterConnection;
  readonly timers: Timers;
  readonly transfers: TransferSettings;
  readonly settings: SessionSettings;
}

export class ClientSession implements FutureOwner, ConnectionListener {
  readonly timers: Timers;
  readonly keys: KeyTable;
  readonly settings: SessionSettings;
  readonly #connection: ClusterConnection;
  readonly #names: KeyNames;
  readonly #outbox = new Outbox();
  readonly #submissions: Submissions;
  readonly #results: ResultFetcher;
  readonly #upload: ValueUpload;
  #unwanted = new Set<TaskKey>();
  /** Data that was put on workers, and of which the scheduler has not said yet that it knows it. */
  readonly #unconfirmed = new Map<TaskKey, DataScattered>();
  #submitCalls = 0;
  /** A future that someone waits for stays, even when its handle was thrown away: `submit(…).result()`. */
  readonly #waits = new Set<{ readonly future: Future<unknown> }>();
  readonly #dropped = new FinalizationRegistry<KeyRecord>((record) => this.keys.release(record));
  #isClosed = false;
  #isOver = false;

  constructor({ connection, timers, transfers, settings }: SessionParts) {
    this.timers = timers;
    this.settings = settings;
    this.#connection = connection;
    this.#names = new KeyNames(connection.clientId);
    this.keys = new KeyTable((key) => this.#noteUnwanted(key));
    this.#results = new ResultFetcher(connection, transfers, timers);
    this.#upload = new ValueUpload(connection, transfers, timers, (message) => this.#tellPlaced(message));
    this.#submissions = new Submissions({
      owner: this,
      keys: this.keys,
      outbox: this.#outbox,
      timers,
      send: (message) => connection.send(message),
      nextSubmissionId: () => this.#names.next('graph'),
      place: (payload) => this.#placeLarge(payload),
      inlineArgumentBytesMax: settings.inlineArgumentBytesMax,
      backlogBytes: () => (this.#isOver ? 0 : connection.backlogBytes),
      isOver: () => this.#isOver,
    });
  }

  get submitCalls(): number {
    return this.#submitCalls;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  submitOne(
    callable: CallableFunction,
    args: readonly unknown[],
    options: ResolvedTaskOptions,
  ): Future<unknown> {
    this.assertOpen();
    this.#submitCalls += 1;
    // Encoded now: what the caller changes after the call is not the task's, and a mistake shows where it was made.
    const encoded = this.#submissions.encoderFor(options).encode(args, this.#submitCalls);
    const hash = options.pure ? contentHash(callable.ref, encoded, options) : undefined;
    const draft = this.#draft(callable, encoded, options, hash);
    if (draft.ticket === undefined || !options.pure) this.#submissions.add([draft]);
    return this.#handle(draft.record, draft.ticket);
  }

  submitMany(
    callable: CallableFunction,
    calls: readonly (readonly unknown[])[],
    options: ResolvedTaskOptions,
  ): Future<unknown>[] {
    this.assertOpen();
    if (options.pure) return calls.map((args) => this.submitOne(callable, args, options));
    this.#submitCalls += 1;
    const drafts = calls.map((args) => this.#draft(callable, args, options, undefined));
    if (drafts.length > 0) this.#submissions.add(drafts);
    return drafts.map(({ record, ticket }) => this.#handle(record, ticket));
  }

  /** Puts a value on workers. */
  async scatter(payload: Payload, options: UploadOptions): Promise<Future<unknown>> {
    this.assertOpen();
    const record = this.keys.acquire(asTaskKey(this.#names.next('data')));
    try {
      await this.#place(record, payload, options);
    } catch (error) {
      this.keys.release(record);
      throw error;
    }
    return this.#handle(record);
  }

  async result(future: Future<unknown>, options: CallOptions): Promise<unknown> {
    const wait = { future };
    this.#waits.add(wait);
    try {
      return await bounded(`The result of ${future.key}`, options, this.timers, (signal) =>
        this.value(future, signal),
      );
    } finally {
      this.#waits.delete(wait);
    }
  }

  async exception(future: Future<unknown>, options: CallOptions): Promise<SpillwayError | undefined> {
    const wait = { future };
    this.#waits.add(wait);
    try {
      const what = `The outcome of ${future.key}`;
      await bounded(what, options, this.timers, (signal) => untilDone(future, signal));
    } finally {
      this.#waits.delete(wait);
    }
    const state = stateOf(future);
    return state.name === 'erred' || state.name === 'cancelled' ? state.error : undefined;
  }

  /** The decoded result. */
  async value(future: Future<unknown>, signal: AbortSignal): Promise<unknown> {
    assertNotReleased(future);
    await untilDone(future, signal);
    const state = stateOf(future);
    if (state.name !== 'finished') throw errorOf(state);
    return decodeValue(await this.#results.fetch(recordOf(future), signal));
  }

  cancel(futures: readonly Future<unknown>[], { force = false }: { readonly force?: boolean }): void {
    const keys = new Set<TaskKey>();
    for (const future of futures) {
      const record = this.#own(future);
      if (record.isUnsubmitted || record.state.name === 'cancelled') continue;
      keys.add(record.key);
      record.become({ name: 'cancelled', error: cancelled(record.key, 'cancel() was called on it') });
    }
    if (keys.size === 0) return;
    this.#say(() => {
      for (const chunk of keyChunks(keys)) this.#connection.send({ type: 'cancel-keys', keys: chunk, force });
    });
  }

  retry(futures: readonly Future<unknown>[]): void {
    const records = new Set<KeyRecord>();
    for (const future of futures) {
      const record = this.#own(future);
      if (record.isUnsubmitted) throw notSubmitted(record.key);
      if (record.state.name === 'erred') records.add(record);
    }
    if (records.size === 0) return;
    for (const record of records) record.become(PENDING);
    const keys = [...records].map((record) => record.key);
    this.#say(() => {
      for (const chunk of keyChunks(keys)) this.#connection.send({ type: 'retry-keys', keys: chunk });
    });
  }

  dropped(future: Future<unknown>): void {
    this.#dropped.unregister(future);
    this.keys.release(recordOf(future));
  }

  onMessages(messages: readonly SchedulerToClient[]): void {
    for (const message of messages) {
      if (message.type === 'graph-accepted' || message.type === 'graph-refused')
        this.#submissions.answered(message);
      else {
        this.#confirm(message);
        this.keys.apply(message);
      }
    }
  }

  /** Order matters: data is claimed before all keys are named, and graphs are said last, which need them. */
  onSessionBegun(): void {
    for (const message of this.#unconfirmed.values()) {
      const record = this.keys.find(message.key);
      // That the scheduler does not know it yet is no news.
      if (record !== undefined) record.awaitsAcceptance = true;
      this.#connection.send(message);
    }
    const chunks = [...keyChunks(this.keys.saidKeys())];
    for (const keys of chunks.slice(0, -1))
      this.#connection.send({ type: 'client-resumes', keys, isLast: false });
    this.#connection.send({ type: 'client-resumes', keys: chunks.at(-1) ?? [], isLast: true });
    this.#submissions.sayAgain();
  }

  onEnded(error: SpillwayError | undefined): void {
    this.#isOver = true;
    this.keys.end(
      error ?? new ClusterUnreachableError('The scheduler has ended the session. Connect again.'),
    );
  }

  /** Everything that waits rejects, everything held is released. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isOver = true;
    this.keys.end(new FutureCancelledError('The client was closed, and with it all of its futures.'));
    await this.#connection.close();
  }

  assertOpen(): void {
    if (this.#isClosed) throw new ClusterUnreachableError('This client was closed. Connect again.');
  }

  #draft(
    callable: CallableFunction,
    args: TaskDraft['args'],
    options: ResolvedTaskOptions,
    hash: string | undefined,
  ): TaskDraft {
    const name = hash === undefined ? undefined : this.#names.withHash(callable.name, hash);
    const key = asTaskKey(options.key ?? name ?? this.#names.next(callable.name));
    const isFirst = this.keys.findUsable(key) === undefined;
    const ticket = isFirst ? undefined : {};
    const record = this.keys.acquire(key);
    return { record, ticket, callable, options, args, submitCall: this.#submitCalls };
  }

  #handle(record: KeyRecord, ticket?: SubmissionTicket): Future<unknown> {
    const future = makeFuture(this, record, ticket);
    this.#dropped.register(future, record, future);
    return future;
  }

  #placeLarge(payload: Payload): LargeArgument {
    const record = this.keys.acquire(asTaskKey(this.#names.next('argument')));
    const placed = this.#place(record, payload, { copies: 1, workers: [] });
    // Looked at by the tasks that need it.
    placed.catch(() => undefined);
    return { record, payload, placed };
  }

  async #place(record: KeyRecord, payload: Payload, options: UploadOptions): Promise<void> {
    const holders = await this.#upload.place(record.key, payload, options);
    if (record.state.name === 'pending') {
      record.become({ name: 'finished', nbytes: payload.data.byteLength, holders });
    }
  }

  #tellPlaced(message: DataScattered): void {
    const record = this.keys.find(message.key);
    if (record !== undefined) record.hasBeenSaid = true;
    this.#unconfirmed.set(message.key, message);
    this.#connection.send(message);
  }

  /** Whatever is said of data that was put on workers, the scheduler knows it, unless it says that it does not. */
  #confirm({ type, key }: KeyMessage): void {
    if (type === 'key-cancelled' || !this.#unconfirmed.delete(key)) return;
    const record = this.keys.find(key);
    if (record !== undefined) record.awaitsAcceptance = false;
  }

  #own(future: Future<unknown>): KeyRecord {
    const record = recordOf(future);
    if (this.keys.find(record.key) === record || record.state.name === 'cancelled' || record.isUnsubmitted)
      return record;
    throw new InvalidArgumentError(`The future ${future.key} was released, or belongs to another client.`);
  }

  /** In the order of the calls: after what was submitted before, and before what is submitted next. */
  #say(step: () => void): void {
    this.#submissions.closeOpen();
    this.#outbox.add(step);
  }

  #noteUnwanted(key: TaskKey): void {
    if (this.#isClosed) return;
    this.#unwanted.add(key);
    this.#unconfirmed.delete(key);
    if (this.#unwanted.size > 1) return;
    this.timers.soon(() => {
      // Those released later follow later, after what was submitted in between.
      const unwanted = this.#unwanted;
      this.#unwanted = new Set();
      this.#outbox.add(() => this.#releaseUnwanted(unwanted));
    });
  }

  #releaseUnwanted(unwanted: ReadonlySet<TaskKey>): void {
    // A key that was submitted again meanwhile is wanted again.
    const keys = [...unwanted].filter((key) => this.keys.find(key) === undefined);
    for (const chunk of keyChunks(keys)) this.#connection.send({ type: 'client-releases-keys', keys: chunk });
  }
}

function assertNotReleased(future: Future<unknown>): void {
  if (!future.released) return;
  throw new FutureCancelledError(`The future ${future.key} was released, so its result is not kept for it.`);
}

function notSubmitted(key: TaskKey): InvalidArgumentError {
  return new InvalidArgumentError(
    `${key} never reached the cluster, so it cannot be retried there. Submit it again.`,
  );
}
