/** The client: what an application submits tasks to a cluster with, and gets their results from. */
import { InvalidArgumentError } from '@spillway/kernel';
import type { Encoding, Holder, Holding, KeyInfo, RetirementReport, WorkerInfo } from '@spillway/messages';
import { sizeof } from '@spillway/values';
import { bounded, toMs, type CallOptions } from './call-options.js';
import type { Callables } from './callables.js';
import type { ClientSession } from './client-session.js';
import type { ClusterConnection } from './cluster-connection.js';
import { CompletionQueue, untilDone, waitFor, type WaitOutcome } from './completion.js';
import { describe, holdingsOf, untilRunning } from './cluster-queries.js';
import { encodeWithFutures } from './encode-with-futures.js';
import { refuseFuture, stateOf, type Future } from './future.js';
import { gatherShape } from './gather.js';
import { gatherInOrder } from './gather-iterator.js';
import { inWindow } from './scatter-window.js';
import { loadModule, type LoadOptions } from './load-module.js';
import { argumentsOfCalls } from './map-inputs.js';
import { memoryOf, type ClusterMemory } from './memory.js';
import { restartWorkers, retireWorkers, type RestartOptions, type RetireOptions } from './leaving.js';
import { runOnWorkers } from './run.js';
import type { ArgumentsOf, Gathered, Handles, InputsOf, ResultOf, TaskFunction } from './task-function.js';
import { resolveTaskOptions, type TaskOptions } from './task-options.js';
import { SCATTERED_COPIES } from './value-upload.js';

export interface ScatterOptions extends CallOptions {
  /** On how many workers, if there are so many. Default 2, so that it survives the death of one. */
  readonly copies?: number | undefined;
  /** Names or ids of the workers to choose from. Default: all. */
  readonly workers?: readonly string[] | undefined;
  /** Default `v8`. */
  readonly encoding?: Encoding | undefined;
}

export interface RunOptions extends CallOptions {
  /** Names or ids. Default: all workers. */
  readonly workers?: readonly string[] | undefined;
}

export interface WaitOptions extends CallOptions {
  /** Return when all are done (default), or the first is. */
  readonly until?: 'all' | 'first' | undefined;
}

export interface GatherIteratorOptions extends Pick<CallOptions, 'signal'> {
  readonly as: 'iterator';
  /** Most encoded bytes fetched ahead of what was taken. Default: the setting `client.gather-window`, 64 MiB. */
  readonly windowBytes?: number | undefined;
}

/** Values of one `scatterAll` under way at a time. */
const SCATTER_COUNT_MAX = 4;

/** Submits tasks with the same options; made by `client.with(options)`. */
export interface Submitter {
  submit<F extends TaskFunction>(fn: F, ...args: ArgumentsOf<F>): Future<ResultOf<F>>;
  map<F extends TaskFunction>(fn: F, ...inputs: InputsOf<F>): Future<ResultOf<F>>[];
}

export class Client implements Submitter, AsyncDisposable {
  readonly #session: ClientSession;
  readonly #connection: ClusterConnection;
  readonly #callables: Callables;
  readonly #onClose: () => void;

  /** Clients are made by `connect` and by a cluster's `connect()`. */
  constructor(
    session: ClientSession,
    connection: ClusterConnection,
    callables: Callables,
    onClose: () => void,
  ) {
    this.#session = session;
    this.#connection = connection;
    this.#callables = callables;
    this.#onClose = onClose;
  }

  /**
   * Bundles the module, uploads it once, and returns its exported functions as typed handles:
   * `client.load<typeof import('./tasks')>(new URL('./tasks.ts', import.meta.url))`. A program that is itself bundled
   * has to ship the module's source file beside it. Rejects with `ModuleNotLoadableError`.
   */
  async load<M>(url: URL | string, options: LoadOptions = {}): Promise<Handles<M>> {
    return this.#bounded(`Loading ${String(url)}`, options, async () => {
      const module = await loadModule<M>(url, options);
      this.#callables.uploads.add(module.hash, module.bytes);
      await this.#callables.uploads.ready({ kind: 'bundle', moduleHash: module.hash, exportName: '' });
      return module.handles;
    });
  }

  /**
   * Runs the function once on a worker. Arguments may hold futures anywhere inside; they are encoded before this
   * returns. Throws `FunctionCapturesError` and `ValueNotEncodableError` at once; what goes wrong later rejects the
   * future's `result()`.
   */
  submit<F extends TaskFunction>(fn: F, ...args: ArgumentsOf<F>): Future<ResultOf<F>> {
    return this.#submit({}, fn, args);
  }

  /**
   * Runs the function once for each value of the inputs, which have to be of one length (`repeat(value)` excepted).
   * Of many values the later ones are encoded in later turns: do not change them before they are done.
   */
  map<F extends TaskFunction>(fn: F, ...inputs: InputsOf<F>): Future<ResultOf<F>>[] {
    return this.#map({}, fn, inputs);
  }

  /** `submit` and `map` with options: `client.with({ retries: 2 }).submit(fetchPage, url)`. */
  with(options: TaskOptions): Submitter {
    resolveTaskOptions(options);
    return {
      submit: (fn, ...args) => this.#submit(options, fn, args),
      map: (fn, ...inputs) => this.#map(options, fn, inputs),
    };
  }

  /** The values of an iterable of futures, in order, fetched ahead within a window of bytes. */
  gather<T>(futures: Iterable<Future<T>>, options: GatherIteratorOptions): AsyncIterableIterator<T>;
  /** All values at once, in the same shape: `gather([a, b])`, `gather({ a, rest: [b, c] })`. */
  gather<Shape>(shape: Shape, options?: CallOptions): Promise<Gathered<Shape>>;
  gather(shape: unknown, options: CallOptions | GatherIteratorOptions = {}): unknown {
    if ('as' in options) return this.#gatherIterator(shape as Iterable<Future<unknown>>, options);
    return this.#bounded('gather', options, (signal) =>
      gatherShape(shape, (future, fetchSignal) => this.#session.value(future, fetchSignal), signal),
    );
  }

  /** Puts a value into the cluster's memory, straight to the workers. It cannot be computed again when it is lost. */
  async scatter<T>(value: T, options: ScatterOptions = {}): Promise<Future<T>> {
    return this.#bounded('scatter', options, (signal) => this.#scatter(value, options, signal));
  }

  /**
   * `scatter` for each of the values; they are spread over the workers. Values are taken one by one, as far as a window of
   * bytes allows: an iterable may make more than fits in this process.
   */
  async scatterAll<T>(values: Iterable<T>, options: ScatterOptions = {}): Promise<Future<T>[]> {
    return this.#bounded('scatterAll', options, (signal) =>
      inWindow(values, {
        countMax: SCATTER_COUNT_MAX,
        bytesMax: this.#session.settings.gatherWindowBytes,
        bytesOf: sizeof,
        work: (value) => this.#scatter(value, options, signal),
      }),
    );
  }

  /** Waits until all futures (or the first) are done: finished, erred or cancelled. */
  wait<F extends Future<unknown>>(futures: Iterable<F>, options: WaitOptions = {}): Promise<WaitOutcome<F>> {
    const all = [...futures];
    return this.#bounded('wait', options, (signal) => waitFor(all, options.until ?? 'all', signal));
  }

  /** The futures in the order in which they become done, however. `break` ends the listening. */
  asCompleted<F extends Future<unknown>>(
    futures: Iterable<F>,
    options: Pick<CallOptions, 'signal'> = {},
  ): AsyncIterableIterator<F> {
    return new CompletionQueue(futures, options.signal ?? new AbortController().signal);
  }

  /** Gives up tasks; see `Future.cancel`. */
  cancel(futures: Iterable<Future<unknown>>, options: { readonly force?: boolean } = {}): void {
    this.#session.cancel([...futures], options);
  }

  /** Runs erred tasks again; see `Future.retry`. */
  retry(futures: Iterable<Future<unknown>>): void {
    this.#session.retry([...futures]);
  }

  /** Releases handles; see `Future.release`. */
  release(futures: Iterable<Future<unknown>>): void {
    for (const future of futures) future.release();
  }

  /** Which workers hold each key; all keys of this client when no futures are given. */
  async whoHas(
    futures?: Iterable<Future<unknown>>,
    options: CallOptions = {},
  ): Promise<Map<string, readonly Holder[]>> {
    return new Map((await this.#describe(futures, options)).map((info) => [info.key, info.whoHas]));
  }

  /** Encoded size in memory of each key that is there. */
  async nbytes(futures?: Iterable<Future<unknown>>, options: CallOptions = {}): Promise<Map<string, number>> {
    const sizes = new Map<string, number>();
    for (const { key, nbytes } of await this.#describe(futures, options)) {
      if (nbytes !== undefined) sizes.set(key, nbytes);
    }
    return sizes;
  }

  /** What each worker holds, by worker id. `workers`: names or ids; default all. */
  hasWhat(workers?: Iterable<string>, options: CallOptions = {}): Promise<Map<string, readonly Holding[]>> {
    return this.#bounded('hasWhat', options, (signal) => holdingsOf(this.#connection, workers, signal));
  }

  /** The workers that are registered now. */
  workers(options: CallOptions = {}): Promise<readonly WorkerInfo[]> {
    return this.#bounded('workers', options, (signal) => this.#connection.listWorkers({ signal }));
  }

  /** What the memory of each worker and of the whole cluster is used for, as of their last heartbeats. */
  memory(options: CallOptions = {}): Promise<ClusterMemory> {
    return this.#bounded('memory', options, async (signal) =>
      memoryOf(await this.#connection.listWorkers({ signal })),
    );
  }

  /**
   * Waits until at least so many workers are running (a paused one is not), and gives those that are. Rejects with
   * `DeadlineExceededError` when they are not there within the timeout.
   */
  async waitForWorkers(count: number, options: CallOptions = {}): Promise<readonly WorkerInfo[]> {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new InvalidArgumentError(`waitForWorkers takes a whole number of workers, not ${count}.`);
    }
    return this.#bounded(`Waiting for ${count} running workers`, options, (signal) =>
      untilRunning(this.#connection, count, this.#session.timers, signal),
    );
  }

  /**
   * Runs the function on workers at once, beside their tasks and without futures; the results by worker id. Rejects
   * with the first failure, whose `details.workerId` says where.
   */
  async run<F extends TaskFunction>(
    fn: F,
    args: ArgumentsOf<F> = [] as unknown as ArgumentsOf<F>,
    options: RunOptions = {},
  ): Promise<Map<string, ResultOf<F>>> {
    const callable = this.#callables.of(fn);
    const timeoutMs = options.timeout === undefined ? false : toMs(options.timeout, 'timeout');
    const request = { callable, args, timeoutMs, workers: options.workers ?? [] } as const;
    return this.#bounded(`Running ${callable.name} on workers`, options, (signal) =>
      runOnWorkers(this.#connection, request, signal),
    ) as Promise<Map<string, ResultOf<F>>>;
  }

  /**
   * Has workers leave, by name or id: nothing more is given to them, what they run may end, and what only they have is copied to
   * workers that stay. Resolves with what became of each when all have gone; they go on leaving when the call is aborted. Rejects
   * with `UnknownWorkerError`, and nothing is done, when one of them is not there.
   */
  async retireWorkers(
    workers: readonly string[],
    options: RetireOptions = {},
  ): Promise<readonly RetirementReport[]> {
    return this.#bounded('Retiring workers', options, (signal) =>
      retireWorkers(this.#connection, workers, options, signal),
    );
  }

  /**
   * Has nannies replace workers, all by default: their successors take over what these have. Resolves with the new ones when they
   * are there. Rejects with `UnknownWorkerError`, or `NoNannyError` for a worker that nobody would start again.
   */
  async restartWorkers(
    workers?: readonly string[],
    options: RestartOptions = {},
  ): Promise<readonly WorkerInfo[]> {
    const { timers } = this.#session;
    return this.#bounded('Restarting workers', options, (signal) =>
      restartWorkers(this.#connection, workers, options, { timers, signal }),
    );
  }

  /** Releases everything this client holds and ends the connection. What still waits rejects. Twice is harmless. */
  async close(): Promise<void> {
    this.#onClose();
    await this.#session.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #submit<F extends TaskFunction>(
    options: TaskOptions,
    fn: F,
    args: readonly unknown[],
  ): Future<ResultOf<F>> {
    const callable = this.#callables.of(fn);
    return this.#session.submitOne(callable, args, resolveTaskOptions(options)) as Future<ResultOf<F>>;
  }

  #map<F extends TaskFunction>(
    options: TaskOptions,
    fn: F,
    inputs: readonly Iterable<unknown>[],
  ): Future<ResultOf<F>>[] {
    if (options.key !== undefined) {
      throw new InvalidArgumentError(
        'The option "key" names one task. map makes many: leave it out, or use "pure".',
      );
    }
    const callable = this.#callables.of(fn);
    const calls = argumentsOfCalls(inputs);
    return this.#session.submitMany(callable, calls, resolveTaskOptions(options)) as Future<ResultOf<F>>[];
  }

  async #bounded<T>(
    what: string,
    options: CallOptions,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    this.#session.assertOpen();
    return bounded(what, options, this.#session.timers, work);
  }

  #describe(futures: Iterable<Future<unknown>> | undefined, options: CallOptions): Promise<KeyInfo[]> {
    return this.#bounded('The question', options, (signal) =>
      describe(this.#connection, this.#session.keys, futures, signal),
    );
  }

  #scatter<T>(value: T, options: ScatterOptions, signal: AbortSignal): Promise<Future<T>> {
    const { encoding = 'v8', copies = SCATTERED_COPIES, workers = [] } = options;
    const payload = encodeWithFutures(value, refuseFuture('scatter'), { encoding, shared: true });
    return this.#session.scatter(payload, { copies, workers, signal }) as Promise<Future<T>>;
  }

  #gatherIterator(futures: Iterable<Future<unknown>>, options: GatherIteratorOptions): AsyncGenerator {
    return gatherInOrder({
      futures,
      windowBytes: options.windowBytes ?? this.#session.settings.gatherWindowBytes,
      signal: options.signal ?? new AbortController().signal,
      settled: untilDone,
      sizeOf: (future) => {
        const state = stateOf(future);
        if (state.name === 'pending' || state.name === 'lost') return undefined;
        return state.name === 'finished' ? state.nbytes : 0;
      },
      fetchOne: (future, signal) => this.#session.value(future, signal),
    });
  }
}
