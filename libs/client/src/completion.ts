/** Waiting for many futures: until all or the first are done, or one after the other as they become so. */
import { onAbort } from './abort-listeners.js';
import { isSettled, reached } from './key-record.js';
import { recordOf, stateOf, type Future } from './future.js';

/** Futures that are done (finished, erred or cancelled) and those that are not. */
export interface WaitOutcome<F> {
  readonly done: readonly F[];
  readonly notDone: readonly F[];
}

export const isDone = (future: Future<unknown>): boolean => isSettled(stateOf(future));

/** Resolves when the future is done. Rejects only with the signal's reason. */
export function untilDone(future: Future<unknown>, signal: AbortSignal): Promise<void> {
  return reached(recordOf(future), () => isDone(future), signal);
}

export async function waitFor<F extends Future<unknown>>(
  futures: readonly F[],
  until: 'all' | 'first',
  signal: AbortSignal,
): Promise<WaitOutcome<F>> {
  if (until === 'all') {
    for (const future of futures) if (!isDone(future)) await untilDone(future, signal);
  } else if (futures.length > 0 && !futures.some(isDone)) {
    await firstDone(futures, signal);
  }
  return {
    done: futures.filter((future) => isDone(future)),
    notDone: futures.filter((future) => !isDone(future)),
  };
}

async function firstDone(futures: readonly Future<unknown>[], signal: AbortSignal): Promise<void> {
  const queue = new CompletionQueue(futures, signal);
  try {
    await queue.next();
  } finally {
    await queue.return();
  }
}

/** The futures, each once, in the order in which they become done. Leaving it early stops the listening. */
export class CompletionQueue<F extends Future<unknown>> implements AsyncIterableIterator<F> {
  readonly #done: F[] = [];
  readonly #listening = new Map<F, () => void>();
  readonly #signal: AbortSignal;
  readonly #stopListening: () => void;
  /** The call of `next` that waits; calls come one after the other. */
  #wake: (() => void) | undefined;
  #pending: Promise<unknown> = Promise.resolve();
  #isOver = false;

  constructor(futures: Iterable<F>, signal: AbortSignal) {
    this.#signal = signal;
    for (const future of new Set(futures)) this.#watch(future);
    this.#stopListening = signal.aborted ? () => undefined : onAbort(signal, () => this.#wake?.());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<F, undefined>> {
    const result = this.#pending.then(() => this.#next());
    this.#pending = result.catch(() => undefined);
    return result;
  }

  return(): Promise<IteratorResult<F, undefined>> {
    this.#end();
    this.#wake?.();
    return Promise.resolve({ done: true, value: undefined });
  }

  async #next(): Promise<IteratorResult<F, undefined>> {
    for (;;) {
      if (this.#signal.aborted && !this.#isOver) {
        this.#end();
        this.#signal.throwIfAborted();
      }
      const future = this.#isOver ? undefined : this.#done.shift();
      if (future !== undefined) return { done: false, value: future };
      if (this.#isOver || this.#listening.size === 0) {
        this.#end();
        return { done: true, value: undefined };
      }
      await new Promise<void>((wake) => (this.#wake = wake));
    }
  }

  #watch(future: F): void {
    if (isDone(future)) return void this.#done.push(future);
    const stop = recordOf(future).onChange(() => {
      if (!isDone(future)) return;
      stop();
      this.#listening.delete(future);
      this.#done.push(future);
      this.#wake?.();
    });
    this.#listening.set(future, stop);
  }

  #end(): void {
    this.#isOver = true;
    this.#done.length = 0;
    for (const stop of this.#listening.values()) stop();
    this.#listening.clear();
    this.#stopListening();
  }
}
