/**
 * Follows the process memory of one worker from outside: when to look next, and whether it has gone too far (the founding
 * document's terminate, architecture.md D5). The interval follows the headroom, since a task touches gigabytes in a second: the
 * next look comes before the way to the threshold can have been gone twice. Not: who is killed how (nanny-machine.ts).
 */
import { lookIntervalMs } from '@spillway/kernel';
import type { MemorySample } from '@spillway/messages';

export interface MemoryRule {
  /** What the fraction is a share of; `false`: nobody is ended. */
  readonly limitBytes: number | false;
  /** Process memory above this share of the limit ends the worker; `false`: nobody is ended. */
  readonly terminateFraction: number | false;
}

const SAMPLES_KEPT = 20;
const INTERVAL_MS_MAX = 200;
const INTERVAL_MS_MIN = 5;

interface Look {
  readonly atMs: number;
  readonly processBytes: number;
}

export class MemoryWatch {
  readonly #looks: Look[] = [];
  #nextMs: number;

  /** `fastestBytesPerMs`: how fast it may grow; when it is seen to grow faster, that counts instead. */
  constructor(
    private fastestBytesPerMs: number,
    nowMs: number,
  ) {
    this.#nextMs = nowMs;
  }

  /** When to look next; `Infinity` while a look is under way. */
  get nextMs(): number {
    return this.#nextMs;
  }

  onAsked(): void {
    this.#nextMs = Infinity;
  }

  /** Takes what was seen; `undefined`: the process could not be looked at, which its exit will explain. */
  onSample(processBytes: number | undefined, rule: MemoryRule, nowMs: number): void {
    if (processBytes !== undefined) this.#keep({ atMs: nowMs, processBytes });
    this.#nextMs = nowMs + this.#intervalMs(rule);
  }

  /** The last look, if it is above terminate. */
  tooMuch(rule: MemoryRule): { readonly processBytes: number; readonly terminateBytes: number } | undefined {
    const terminateBytes = terminateBytesOf(rule);
    const last = this.#looks.at(-1);
    if (terminateBytes === false || last === undefined || last.processBytes <= terminateBytes)
      return undefined;
    return { processBytes: last.processBytes, terminateBytes };
  }

  /** The last looks, oldest first, by how long before `nowMs` they were. */
  samples(nowMs: number): readonly MemorySample[] {
    return this.#looks.map(({ atMs, processBytes }) => ({
      beforeEndMs: Math.max(0, nowMs - atMs),
      processBytes,
    }));
  }

  #keep(look: Look): void {
    const last = this.#looks.at(-1);
    if (last !== undefined && look.atMs > last.atMs) {
      const bytesPerMs = (look.processBytes - last.processBytes) / (look.atMs - last.atMs);
      this.fastestBytesPerMs = Math.max(this.fastestBytesPerMs, bytesPerMs);
    }
    this.#looks.push(look);
    if (this.#looks.length > SAMPLES_KEPT) this.#looks.shift();
  }

  #intervalMs(rule: MemoryRule): number {
    const terminateBytes = terminateBytesOf(rule);
    if (terminateBytes === false) return INTERVAL_MS_MAX;
    const headroomBytes = terminateBytes - (this.#looks.at(-1)?.processBytes ?? 0);
    return lookIntervalMs(headroomBytes, this.fastestBytesPerMs, {
      minMs: INTERVAL_MS_MIN,
      maxMs: INTERVAL_MS_MAX,
    });
  }
}

export function terminateBytesOf({ limitBytes, terminateFraction }: MemoryRule): number | false {
  return limitBytes === false || terminateFraction === false
    ? false
    : Math.floor(limitBytes * terminateFraction);
}
