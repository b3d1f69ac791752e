/**
 * Cuts values into messages: large ones into chunks that are views of the stored bytes, small ones packed together.
 * What it holds itself is at most one message.
 */
import type { TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import type { FetchStep } from './wire.js';

/** What a step costs on the wire beside its key and bytes: field headers, size, encoding. */
const STEP_BYTES = 32;

export class ValueSender {
  #steps: FetchStep[] = [];
  #bytes = 0;

  constructor(
    private readonly chunkBytes: number,
    private readonly send: (steps: FetchStep[]) => Promise<void>,
  ) {}

  async sendMissing(key: TaskKey): Promise<void> {
    await this.#add({ step: 'missing', missing: { key } }, STEP_BYTES + key.length);
  }

  async sendValue(key: TaskKey, { encoding, data }: Payload): Promise<void> {
    const start = { key, encoding, sizeBytes: data.byteLength };
    await this.#add({ step: 'start', start }, STEP_BYTES + key.length);
    for (let at = 0; at < data.byteLength; at += this.chunkBytes) {
      const chunk = data.subarray(at, at + this.chunkBytes);
      await this.#add({ step: 'chunk', chunk }, STEP_BYTES + chunk.byteLength);
    }
  }

  /** Sends what has been held back for company. */
  async flush(): Promise<void> {
    if (this.#steps.length === 0) return;
    const steps = this.#steps;
    this.#steps = [];
    this.#bytes = 0;
    await this.send(steps);
  }

  /** Invariant: a message is no larger than one chunk and the steps of values smaller than a chunk before it. */
  async #add(step: FetchStep, bytes: number): Promise<void> {
    if (this.#bytes + bytes > this.chunkBytes + STEP_BYTES) await this.flush();
    this.#steps.push(step);
    this.#bytes += bytes;
    if (this.#bytes >= this.chunkBytes) await this.flush();
  }
}
