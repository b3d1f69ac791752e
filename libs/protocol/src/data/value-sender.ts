/**
 * Cuts values into messages: large ones into chunks that are views of the stored bytes, small ones packed together.
 * What it holds itself is one message.
 */
import type { TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import { ChunkEncoder } from './chunk-encoder.js';
import { encodeSteps, type FetchStep } from './wire.js';

/** What a step costs on the wire beside its key and bytes: field headers, size, encoding. */
const STEP_BYTES = 32;
/** Larger chunks travel alone. */
const PACKED_BYTES_MAX = 16 * 1024;

export class ValueSender {
  readonly #chunks = new ChunkEncoder('fetch-response');
  #steps: FetchStep[] = [];
  #bytes = 0;

  constructor(
    private readonly chunkBytes: number,
    /** Resolves when the message has left. */
    private readonly send: (message: Buffer) => Promise<void>,
  ) {}

  async sendMissing(key: TaskKey): Promise<void> {
    await this.#add({ step: 'missing', missing: { key } }, STEP_BYTES + key.length);
  }

  async sendValue(key: TaskKey, { encoding, data }: Payload): Promise<void> {
    const start = { key, encoding, sizeBytes: data.byteLength };
    await this.#add({ step: 'start', start }, STEP_BYTES + key.length);
    for (let at = 0; at < data.byteLength; at += this.chunkBytes) {
      await this.#sendChunk(data.subarray(at, at + this.chunkBytes));
    }
  }

  /** Sends what has been held back for company. */
  async flush(): Promise<void> {
    if (this.#steps.length === 0) return;
    const message = encodeSteps(this.#steps);
    this.#steps = [];
    this.#bytes = 0;
    await this.send(message);
  }

  async #sendChunk(chunk: Uint8Array): Promise<void> {
    if (chunk.byteLength <= PACKED_BYTES_MAX) {
      await this.#add({ step: 'chunk', chunk }, STEP_BYTES + chunk.byteLength);
      return;
    }
    await this.flush();
    await this.send(this.#chunks.encode(chunk));
  }

  /** Invariant: a message is no larger than a chunk, or holds one step. */
  async #add(step: FetchStep, bytes: number): Promise<void> {
    if (this.#bytes + bytes > this.chunkBytes) await this.flush();
    this.#steps.push(step);
    this.#bytes += bytes;
  }
}
