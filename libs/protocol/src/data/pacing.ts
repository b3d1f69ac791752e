/**
 * Writing no faster than the other end reads, and noticing when it does not read or write at all (users-pains 21: a
 * `write()` whose `false` is ignored grows until the process dies). The only place of the data plane that writes.
 */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { DeadlineExceededError } from '@spillway/kernel';

/** Calls once when nothing has moved for `idleMs`. */
export class IdleTimer {
  readonly #timer: NodeJS.Timeout;

  constructor(idleMs: number, onIdle: () => void) {
    this.#timer = setTimeout(onIdle, idleMs);
  }

  /** Something moved. */
  touch(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** One stream to write to. Every write waits for the reader, until `stop` is called or the reader stands still. */
export class PacedWriter<Message> {
  readonly #controller = new AbortController();

  constructor(
    private readonly stream: Pick<Writable, 'write'>,
    /** Longest time the reader may take nothing. */
    private readonly idleMs: number,
  ) {}

  /** Aborts when nothing more can be written; its reason says why. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Writes nothing more. A write under way, and every later one, rejects with `reason`. */
  stop(reason: Error): void {
    this.#controller.abort(reason);
  }

  /** Resolves when the stream takes more. */
  async write(message: Message): Promise<void> {
    this.signal.throwIfAborted();
    if (!this.stream.write(message)) await this.#drained();
  }

  async #drained(): Promise<void> {
    const timer = new IdleTimer(this.idleMs, () => this.stop(readerStands(this.idleMs)));
    try {
      await once(this.stream as Writable, 'drain', { signal: this.signal });
    } catch (error) {
      // `once` rejects with an AbortError of its own; the reason says what really happened.
      this.signal.throwIfAborted();
      throw error;
    } finally {
      timer.stop();
    }
  }
}

const readerStands = (idleMs: number): Error =>
  new DeadlineExceededError(`The other end has read nothing for ${idleMs} ms; the transfer is given up.`);
