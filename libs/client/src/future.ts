/**
 * A handle of a result that is or will be in the cluster's memory. It is no promise: it can be passed as an argument
 * of further tasks without the value ever coming here; `result()` fetches it.
 */
import { InvalidArgumentError, type SpillwayError } from '@spillway/kernel';
import type { CallOptions } from './call-options.js';
import { isSettled, type KeyRecord, type KeyState } from './key-record.js';

/** `lost`: the last copy is gone and it is being computed again; waiting goes on by itself. */
export type FutureStatus = 'pending' | 'lost' | 'finished' | 'erred' | 'cancelled';

/** What a future asks of the client that made it. */
export interface FutureOwner {
  /** How many calls have submitted tasks until now. */
  readonly submitCalls: number;
  result(future: Future<unknown>, options: CallOptions): Promise<unknown>;
  exception(future: Future<unknown>, options: CallOptions): Promise<SpillwayError | undefined>;
  cancel(futures: readonly Future<unknown>[], options: { readonly force?: boolean }): void;
  retry(futures: readonly Future<unknown>[]): void;
  dropped(future: Future<unknown>): void;
}

/** Outcome of the submission that made a handle, where it differs from that of the key. */
export interface SubmissionTicket {
  refused?: KeyState;
}

/** What only the client itself may do with a future. */
export let makeFuture: (owner: FutureOwner, record: KeyRecord, ticket?: SubmissionTicket) => Future<unknown>;
export let recordOf: (future: Future<unknown>) => KeyRecord;
export let ownerOf: (future: Future<unknown>) => FutureOwner;
export let stateOf: (future: Future<unknown>) => KeyState;
/** Whether the handle was gone when the call with this number was made. Its arguments may be encoded later. */
export let wasReleasedBefore: (future: Future<unknown>, submitCall: number) => boolean;

export class Future<T> implements Disposable {
  readonly #record: KeyRecord;
  readonly #owner: FutureOwner;
  readonly #ticket: SubmissionTicket | undefined;
  /** Submitting calls that were made before its release. */
  #releasedAfter: number | undefined;

  /** Futures are made by a client: `submit`, `map`, `scatter`. */
  private constructor(owner: FutureOwner, record: KeyRecord, ticket: SubmissionTicket | undefined) {
    this.#owner = owner;
    this.#record = record;
    this.#ticket = ticket;
  }

  /** Name of the result in the cluster. */
  get key(): string {
    return this.#record.key;
  }

  get status(): FutureStatus {
    return this.#state.name;
  }

  /** Whether it is finished, erred or cancelled. */
  get done(): boolean {
    return isSettled(this.#state);
  }

  /** Whether this handle was released. The result may live on for other handles. */
  get released(): boolean {
    return this.#releasedAfter !== undefined;
  }

  /**
   * Waits for the result and fetches it, from a worker that holds it. Small results are at hand already; larger ones
   * are fetched and decoded anew by every call, so that nothing of them stays here.
   * Rejects with the error of the task, `FutureCancelledError`, `ClusterUnreachableError`, `DeadlineExceededError` or
   * the signal's reason.
   */
  result(options: CallOptions = {}): Promise<T> {
    return this.#owner.result(this, options) as Promise<T>;
  }

  /** Waits until done; the error, or `undefined` when the task has finished. */
  exception(options: CallOptions = {}): Promise<SpillwayError | undefined> {
    return this.#owner.exception(this, options);
  }

  /** Gives up the task: it is stopped unless someone else wants it (`force`: also then). All handles here cancel. */
  cancel(options: { readonly force?: boolean } = {}): void {
    this.#owner.cancel([this], options);
  }

  /** Runs an erred task again, and what it failed through. */
  retry(): void {
    this.#owner.retry([this]);
  }

  /**
   * This handle is not needed any more; calls made before still have their argument. With the last handle gone, the
   * cluster frees the result. Twice is harmless.
   */
  release(): void {
    if (this.released) return;
    this.#releasedAfter = this.#owner.submitCalls;
    this.#owner.dropped(this);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  get #state(): KeyState {
    return this.#ticket?.refused ?? this.#record.state;
  }

  static {
    makeFuture = (owner, record, ticket) => new Future(owner, record, ticket);
    recordOf = (future) => future.#record;
    ownerOf = (future) => future.#owner;
    stateOf = (future) => future.#state;
    wasReleasedBefore = (future, submitCall) =>
      future.#releasedAfter !== undefined && future.#releasedAfter < submitCall;
  }
}

/** For values that are encoded without waiting for anything: a future in them is a mistake. */
export function refuseFuture(call: string): (value: object) => undefined {
  return (value) => {
    if (!(value instanceof Future)) return undefined;
    throw new InvalidArgumentError(
      `${call}() takes values, and the future ${value.key} is among them. Gather it first, or use submit().`,
      { details: { key: value.key } },
    );
  };
}
