/**
 * What each slot's thread has been given, oldest first; the head runs. Decides which slot takes the next run: a free one,
 * or, for runs known to be short, one whose thread has little to do (style: a pack travels in one message; see
 * hotpath.md). Does not know task states.
 */
import { assert, must } from '@spillway/kernel';
import type { Attempt, Run, Stopping } from './task.js';

export interface HandOverLimits {
  readonly handOverMs: number;
  readonly handOverCountMax: number;
}

export class Slot {
  readonly attempts: Attempt[] = [];
  /** Sum of what is known of the attempts' durations. */
  expectedMs = 0;
  unknownCount = 0;
  /** How many were told to stop. */
  stoppingCount = 0;

  constructor(readonly index: number) {}

  get head(): Attempt | undefined {
    return this.attempts[0];
  }

  /** When the head has run out of time; `undefined` when it has no limit or is being stopped already. */
  get deadlineMs(): number | undefined {
    const head = this.attempts[0];
    if (head?.headSinceMs === undefined || head.stopping !== undefined) return undefined;
    const { timeoutMs } = head.run.message.spec;
    return timeoutMs === false ? undefined : head.headSinceMs + timeoutMs;
  }
}

/** Whether a run may be put into this slot's thread now. */
export function mayTake(slot: Slot, run: Run, limits: HandOverLimits, nowMs: number): boolean {
  const { attempts } = slot;
  const head = attempts[0];
  if (head === undefined) return true;
  const { expectedMs } = run.message;
  return (
    expectedMs !== undefined &&
    slot.unknownCount === 0 &&
    attempts.length < limits.handOverCountMax &&
    slot.expectedMs + expectedMs <= limits.handOverMs &&
    // A head that outlives its expectation may take any time: nothing more is put behind it.
    nowMs - (head.headSinceMs ?? nowMs) <= limits.handOverMs &&
    // A thread with something to stop may be ended, and what is in it handed over in vain.
    slot.stoppingCount === 0
  );
}

export class Slots {
  readonly all: readonly Slot[];
  /** What the results of all attempts are expected to come to. */
  expectedBytes = 0;

  constructor(
    slotCount: number,
    private readonly limits: HandOverLimits,
  ) {
    this.all = Array.from({ length: slotCount }, (_, index) => new Slot(index));
  }

  /** No slot has anything to do. */
  get areIdle(): boolean {
    return this.all.every((slot) => slot.attempts.length === 0);
  }

  /** The slot with least expected work among those that may take the run; the lowest among equals. */
  choose(run: Run, nowMs: number): Slot | undefined {
    let best: Slot | undefined;
    for (const slot of this.all) {
      if (best !== undefined && slot.attempts.length > 0 && slot.expectedMs >= best.expectedMs) continue;
      if (!mayTake(slot, run, this.limits, nowMs)) continue;
      if (slot.attempts.length === 0) return slot;
      best = slot;
    }
    return best;
  }

  give(slot: Slot, run: Run, nowMs: number): Attempt {
    const headSinceMs = slot.attempts.length === 0 ? nowMs : undefined;
    const attempt: Attempt = { run, slot: slot.index, headSinceMs, stopping: undefined };
    slot.attempts.push(attempt);
    const { expectedMs } = run.message;
    if (expectedMs === undefined) slot.unknownCount += 1;
    else slot.expectedMs += expectedMs;
    this.expectedBytes += run.message.expectedBytes ?? 0;
    return attempt;
  }

  /** Remembers why an attempt was told to stop. Requires: it was not told before. */
  markStopping(attempt: Attempt, stopping: Stopping): void {
    assert(attempt.stopping === undefined, `Task ${attempt.run.task.key} was told to stop twice`);
    attempt.stopping = stopping;
    must(this.all[attempt.slot], `slot ${attempt.slot}`).stoppingCount += 1;
  }

  /** Takes out an attempt whose outcome has arrived; the next one's time starts to count. */
  remove(attempt: Attempt, nowMs: number): void {
    const slot = must(this.all[attempt.slot], `slot ${attempt.slot}`);
    const { attempts } = slot;
    if (attempts[0] === attempt) attempts.shift();
    else {
      const index = attempts.indexOf(attempt);
      assert(index > 0, `Task ${attempt.run.task.key} is not in slot ${attempt.slot}`);
      attempts.splice(index, 1);
    }
    const { expectedMs } = attempt.run.message;
    if (expectedMs === undefined) slot.unknownCount -= 1;
    else slot.expectedMs -= expectedMs;
    this.expectedBytes -= attempt.run.message.expectedBytes ?? 0;
    // An empty slot has exactly no work, whatever rounding left behind.
    if (attempts.length === 0) slot.expectedMs = 0;
    if (attempt.stopping !== undefined) slot.stoppingCount -= 1;
    const head = attempts[0];
    if (head !== undefined) head.headSinceMs ??= nowMs;
  }
}
