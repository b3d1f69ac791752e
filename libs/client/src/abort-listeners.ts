/**
 * Listening to abort signals in great numbers. One signal may bound a hundred thousand waits; as listeners of the
 * signal itself they would each be searched for when they leave, and Node would warn of a leak.
 */

const listenersOf = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls once when the signal aborts. Returns what ends the listening. Requires: it has not aborted yet. */
export function onAbort(signal: AbortSignal, call: () => void): () => void {
  const listeners = listenersOf.get(signal) ?? begin(signal);
  // A wrapper, so that the same function may listen twice.
  const listener = (): void => call();
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** One real listener a signal, for as long as the signal lives: cheaper than adding and removing it again. */
function begin(signal: AbortSignal): Set<() => void> {
  const listeners = new Set<() => void>();
  listenersOf.set(signal, listeners);
  signal.addEventListener(
    'abort',
    () => {
      for (const listener of [...listeners]) listener();
      listeners.clear();
    },
    { once: true },
  );
  return listeners;
}

/** The promise, unless the signal aborts before it settles: then it rejects with the signal's reason as it is. */
export function abortable<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    const stop = onAbort(signal, () => reject(signal.reason));
    void promise.then(resolve, reject).finally(stop);
  });
}

/**
 * Resolves when `begin` calls its argument. Rejects with the signal's reason when that aborts first; then what `begin`
 * has returned is called, to end the waiting.
 * Requires: `begin` does not call it at once.
 */
export function untilCalled(
  signal: AbortSignal | undefined,
  begin: (done: () => void) => () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const endWaiting = begin(() => {
      stopListening?.();
      resolve();
    });
    const stopListening =
      signal &&
      onAbort(signal, () => {
        endWaiting();
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        reject(signal.reason);
      });
  });
}
