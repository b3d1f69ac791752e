/**
 * The values of many futures, one after the other in their order, fetched ahead as far as a window of bytes allows: a
 * way through more data than fits in this process.
 */
import { onAbort } from './abort-listeners.js';
import type { FetchOne } from './gather.js';
import type { Future } from './future.js';

export interface WindowedFutures {
  readonly futures: Iterable<Future<unknown>>;
  /** Most encoded bytes that are under way or here and not yet taken; a single larger value goes alone. */
  readonly windowBytes: number;
  readonly signal: AbortSignal;
  /** Resolves when the future is done, however. */
  readonly settled: (future: Future<unknown>, signal: AbortSignal) => Promise<void>;
  /** Size of the encoded value, 0 when there is none; `undefined` before it is done. */
  readonly sizeOf: (future: Future<unknown>) => number | undefined;
  readonly fetchOne: FetchOne;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

interface Ahead {
  readonly nbytes: number;
  readonly outcome: Promise<Outcome>;
}

export async function* gatherInOrder(options: WindowedFutures): AsyncGenerator<unknown, void, undefined> {
  options.signal.throwIfAborted();
  const abort = new AbortController();
  const stopListening = onAbort(options.signal, () => abort.abort(options.signal.reason));
  const ahead = new FetchAhead(options, abort.signal);
  try {
    for (;;) {
      const next = await ahead.next();
      if (next === undefined) return;
      if ('error' in next) throw next.error;
      yield next.value;
    }
  } finally {
    stopListening();
    // Left by `break`, or failed: nothing goes on behind the caller's back.
    abort.abort();
  }
}

class FetchAhead {
  readonly #source: Iterator<Future<unknown>>;
  readonly #queue: Ahead[] = [];
  #bytes = 0;
  /** The next future: not done when it was looked at, or did not fit. */
  #candidate: Future<unknown> | undefined;

  constructor(
    private readonly options: WindowedFutures,
    private readonly signal: AbortSignal,
  ) {
    this.#source = options.futures[Symbol.iterator]();
  }

  /** The next value in order; `undefined` after the last. */
  async next(): Promise<Outcome | undefined> {
    await this.#fill();
    const head = this.#queue.shift();
    if (head === undefined) return undefined;
    const outcome = await head.outcome;
    this.#bytes -= head.nbytes;
    return outcome;
  }

  /** Starts fetches until the window is full; waits only for the very next future to be done. */
  async #fill(): Promise<void> {
    for (;;) {
      const future = (this.#candidate ??= this.#take());
      if (future === undefined) return;
      const isNext = this.#queue.length === 0;
      if (isNext) await this.options.settled(future, this.signal);
      const nbytes = this.options.sizeOf(future) ?? (isNext ? 0 : undefined);
      if (nbytes === undefined) return;
      if (!isNext && this.#bytes + nbytes > this.options.windowBytes) return;
      this.#candidate = undefined;
      this.#bytes += nbytes;
      this.#queue.push({ nbytes, outcome: outcomeOf(this.options.fetchOne(future, this.signal)) });
    }
  }

  #take(): Future<unknown> | undefined {
    const next = this.#source.next();
    return next.done === true ? undefined : next.value;
  }
}

/** Settled here, so that a failure that nobody has come to yet is not an unhandled one. */
function outcomeOf(value: Promise<unknown>): Promise<Outcome> {
  return value.then(
    (resolved) => ({ value: resolved }),
    (error: unknown) => ({ error }),
  );
}
