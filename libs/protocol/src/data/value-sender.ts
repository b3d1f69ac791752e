/**
 * Cuts values into messages: large ones into chunks that are views of the stored bytes, small ones packed together.
 * What it holds itself is one message.
 */
import { InvariantError, LostDataError, type TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import { ChunkEncoder } from './chunk-encoder.js';
import type { StreamedValue } from './served-value.js';
import { encodeSteps, type FetchStep, type ValueStart } from './wire.js';

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
    await this.#sendStart({ key, encoding, sizeBytes: data.byteLength });
    for (let at = 0; at < data.byteLength; at += this.chunkBytes) {
      await this.#sendChunk(data.subarray(at, at + this.chunkBytes));
    }
  }

  /** One that is lost before anything of it was sent is missing; afterwards the error is passed on. */
  async sendStreamed(key: TaskKey, { encoding, sizeBytes, chunks }: StreamedValue): Promise<void> {
    const parts = chunks[Symbol.asyncIterator]();
    try {
      const first = await unlessLost(parts);
      if (first === undefined) {
        await this.sendMissing(key);
        return;
      }
      await this.#sendStart({ key, encoding, sizeBytes });
      let leftBytes = sizeBytes;
      for (let part = first; part.done !== true; part = await parts.next()) {
        leftBytes -= part.value.byteLength;
        if (leftBytes < 0) break;
        await this.#sendPart(part.value);
      }
      if (leftBytes !== 0)
        throw new InvariantError(`Value ${key} is streamed with other than its ${sizeBytes} bytes.`);
    } finally {
      await parts.return?.();
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

  async #sendStart(start: ValueStart & { key: TaskKey }): Promise<void> {
    await this.#add({ step: 'start', start }, STEP_BYTES + start.key.length);
  }

  /** The part belongs to whoever reads it, and is overwritten by the next: what waits for company is copied. */
  async #sendPart(part: Uint8Array): Promise<void> {
    for (let at = 0; at < part.byteLength; at += this.chunkBytes) {
      const chunk = part.subarray(at, at + this.chunkBytes);
      await this.#sendChunk(chunk.byteLength <= PACKED_BYTES_MAX ? Uint8Array.from(chunk) : chunk);
    }
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

async function unlessLost(
  parts: AsyncIterator<Uint8Array>,
): Promise<IteratorResult<Uint8Array, unknown> | undefined> {
  try {
    return await parts.next();
  } catch (error) {
    if (error instanceof LostDataError) return undefined;
    throw error;
  }
}
