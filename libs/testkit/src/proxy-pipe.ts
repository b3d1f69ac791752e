/**
 * One direction of a connection through a `TcpProxy`: passes on what it reads, at once or late, at a bounded rate, or not at
 * all for a while. Nothing is lost or reordered while both ends are open, and no more than a bounded number of bytes waits here.
 */
import type { Socket } from 'node:net';

/** When to run something, and how to call it off. */
export interface ProxyTimers {
  readonly nowMs: () => number;
  readonly after: (ms: number, run: () => void) => () => void;
}

/** What the network does to bytes at the moment. Read for each chunk as it comes. */
export interface NetworkWeather {
  /** How long this chunk is under way. */
  readonly latencyMs: () => number;
  /** Bytes a second; `false`: as many as there are. */
  readonly bytesPerSecond: number | false;
}

/** Bytes that may be under way. More, and the sender has to wait. */
const UNDER_WAY_BYTES_MAX = 1024 * 1024;

interface Chunk {
  readonly bytes: Buffer;
  readonly dueMs: number;
}

export class ProxyPipe {
  readonly #chunks: Chunk[] = [];
  #underWayBytes = 0;
  #lastDueMs = 0;
  #isHeld = false;
  #isFull = false;
  #hasEnded = false;
  #cancelTimer: (() => void) | undefined;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly weather: NetworkWeather,
    private readonly timers: ProxyTimers,
  ) {
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => {
      this.#hasEnded = true;
      this.#give();
    });
    to.on('drain', () => {
      this.#isFull = false;
      this.#give();
    });
  }

  /** Takes and gives nothing until `release`; what comes meanwhile waits at the sender, as in a network that is down. */
  hold(): void {
    this.#isHeld = true;
    this.from.pause();
  }

  release(): void {
    this.#isHeld = false;
    this.#give();
  }

  close(): void {
    this.#cancelTimer?.();
    this.#chunks.length = 0;
  }

  #take(bytes: Buffer): void {
    const { latencyMs, bytesPerSecond } = this.weather;
    const onWire = bytesPerSecond === false ? 0 : (bytes.length * 1000) / bytesPerSecond;
    // Order matters: a chunk is never due before the one that came before it.
    this.#lastDueMs = Math.max(this.#lastDueMs, this.timers.nowMs() + latencyMs()) + onWire;
    this.#chunks.push({ bytes, dueMs: this.#lastDueMs });
    this.#underWayBytes += bytes.length;
    this.#give();
  }

  #give(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    while (!this.#isHeld && !this.#isFull && this.#chunks.length > 0) {
      const { bytes, dueMs } = this.#chunks[0]!;
      const waitMs = dueMs - this.timers.nowMs();
      if (waitMs > 0) {
        this.#cancelTimer = this.timers.after(waitMs, () => this.#give());
        break;
      }
      this.#chunks.shift();
      this.#underWayBytes -= bytes.length;
      if (this.to.writable) this.#isFull = !this.to.write(bytes);
    }
    if (this.#hasEnded && this.#chunks.length === 0 && !this.#isHeld) this.to.end();
    if (this.#isHeld || this.#isFull || this.#underWayBytes >= UNDER_WAY_BYTES_MAX) this.from.pause();
    else this.from.resume();
  }
}
