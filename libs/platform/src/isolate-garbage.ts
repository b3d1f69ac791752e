/**
 * Collects the garbage of the isolate it is made in. V8 counts a shared buffer in no isolate and so never collects one by
 * itself: its memory returns once every isolate that saw it has collected (architecture.md D6). Who asks, and when, is
 * decided elsewhere; that asking often costs little is seen to here.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock, Timers } from '@spillway/ports';

/**
 * Collecting may take at most one part in so many of the isolate's time. Less would leave a worker that makes and drops
 * a gigabyte a second above its limit; such a worker is the only one that comes near it.
 */
const TIME_PARTS = 4;

export interface IsolateGarbageOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Default: a full collection by V8. */
  readonly collect?: () => void;
}

export class IsolateGarbage {
  readonly #options: IsolateGarbageOptions;
  #collect: (() => void) | undefined;
  /** The collection that was asked for and has not run yet. */
  #asked: Promise<void> | undefined;
  #restUntilMs = -Infinity;

  constructor(options: IsolateGarbageOptions) {
    this.#options = options;
    this.#collect = options.collect;
  }

  /**
   * Collects once this turn is over, or as soon as it may again; asking several times until then is asking once. Resolves
   * when that collection has run.
   */
  ask(): Promise<void> {
    this.#asked ??= this.#start();
    return this.#asked;
  }

  #start(): Promise<void> {
    const { clock, timers } = this.#options;
    const restMs = this.#restUntilMs - clock.nowMs();
    return new Promise((resolve) => {
      const run = (): void => {
        this.#run();
        resolve();
      };
      // Never in this turn: what the caller has just let go of may still be on the stack.
      if (restMs > 0) timers.after(restMs, run);
      else timers.soon(run);
    });
  }

  #run(): void {
    const { clock } = this.#options;
    this.#asked = undefined;
    this.#collect ??= collectorOfV8();
    const startedAtMs = clock.nowMs();
    this.#collect();
    const endedAtMs = clock.nowMs();
    this.#restUntilMs = endedAtMs + (endedAtMs - startedAtMs) * (TIME_PARTS - 1);
  }
}

/** V8's `gc`, whatever flags Node was started with. */
function collectorOfV8(): () => void {
  // For the whole process and for good: taking it back would race with other threads that are just here.
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
