/**
 * V8 counts a shared buffer in no isolate, and so never collects one by itself: each isolate that saw it has to
 * collect before its memory returns (architecture.md D6). The transfer thread sees every value that comes and goes,
 * and so collects for itself; its heap is small, which makes that cheap.
 */
import { types } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Payload } from '@spillway/messages';

export class GarbageDebt {
  #bytes = 0;
  #isScheduled = false;

  constructor(
    private readonly budgetBytes: number,
    private readonly collect: () => void,
  ) {}

  /** Bytes in shared buffers dropped here since the last collection. */
  get bytes(): number {
    return this.#bytes;
  }

  /** This thread lets go of the payload. Collects at the end of the turn when the debt is over its budget. */
  drop({ data }: Payload): void {
    if (types.isSharedArrayBuffer(data.buffer)) this.#bytes += data.byteLength;
    if (this.#bytes <= this.budgetBytes || this.#isScheduled) return;
    this.#isScheduled = true;
    // Not now: the caller's own references are still on the stack.
    setImmediate(() => {
      this.#isScheduled = false;
      this.#bytes = 0;
      this.collect();
    });
  }
}

/** Collects the garbage of this isolate, whatever flags Node was started with. */
export function makeCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
