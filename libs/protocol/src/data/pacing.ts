/**
 * Writing no faster than the other end reads, and noticing when it does not read or write at all (users-pains 21: a
 * `write()` whose `false` is ignored grows until the process dies). The only place of the data plane that writes.
 */
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

/**
 * One stream to write to, one message at a time: a write waits until the one message it queues has been taken by the
 * network, which is when the reader makes room. Nothing else is queued, however large a value is.
 */
export class PacedWriter<Message> {
  readonly #controller = new AbortController();
  #rejectWrite: ((reason: Error) => void) | undefined;

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
    this.#rejectWrite?.(reason);
  }

  /** Resolves when the stream takes more. */
  async write(message: Message): Promise<void> {
    this.signal.throwIfAborted();
    const idle = new IdleTimer(this.idleMs, () => this.stop(readerStands(this.idleMs)));
    try {
      // A cancelled call of grpc-js never calls back, hence `stop`.
      await new Promise<void>((resolve, reject) => {
        this.#rejectWrite = reject;
        this.stream.write(message, (error) => {
          if (error) reject(error);
          else resolve();
        });
      });
    } finally {
      this.#rejectWrite = undefined;
      idle.stop();
    }
  }
}

const readerStands = (idleMs: number): Error =>
  new DeadlineExceededError(`The other end has read nothing for ${idleMs} ms; the transfer is given up.`);
