/**
 * Credit for what running tasks will return (D7): how much they may add before live memory reaches pause, or process memory
 * the point where the nanny ends the worker. Not: what a task is expected to return, and which may start (worker/machine).
 */
import type { MemoryContext } from './context.js';

/** Told in steps of the limit, so that not every value is an instruction. */
const STEPS = 64;
/** With more of the limit than this to go, tasks start without asking. */
const PLENTY_FRACTION = 0.4;

export class Room {
  #toldBytes: number | false = false;

  constructor(private readonly context: MemoryContext) {}

  /** After every event: says what has changed. */
  review(): void {
    const roomBytes = this.#due();
    if (roomBytes === this.#toldBytes) return;
    this.#toldBytes = roomBytes;
    this.context.ask({ type: 'set-room', roomBytes });
  }

  #due(): number | false {
    const { grownBytes, liveBytes, processBytes, thresholds } = this.context;
    const { limitBytes, pauseBytes, terminateBytes } = thresholds;
    if (limitBytes === false || processBytes === undefined) return false;
    const liveRoom = pauseBytes === false ? Infinity : pauseBytes - liveBytes;
    const processRoom = terminateBytes === false ? Infinity : terminateBytes - processBytes;
    const roomBytes = Math.max(0, Math.min(liveRoom, processRoom) - grownBytes);
    if (roomBytes > limitBytes * PLENTY_FRACTION) return false;
    const stepBytes = Math.max(1, Math.floor(limitBytes / STEPS));
    return Math.floor(roomBytes / stepBytes) * stepBytes;
  }
}
