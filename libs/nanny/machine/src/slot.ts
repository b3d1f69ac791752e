import type { WorkerId } from '@spillway/kernel';
import type { DeathCause } from '@spillway/messages';
import type { DeathHistory } from './restart-policy.js';
import type { MemoryWatch } from './memory-watch.js';
import type { SignsOfLife } from './signs-of-life.js';

/**
 * A place for one worker. Each state carries what only it needs.
 *
 * - `empty`: nothing runs and nothing is planned (before `start`, after `stop`).
 * - `starting`: a process was asked for and has not reported itself registered; at `killAtMs` it is killed. Invariant: at
 *   most one process a slot.
 * - `running`: the worker is registered; it is killed when it gives no sign of life for too long.
 * - `retiring`: it was asked to retire, and closes by itself; at `closeAtMs` it is asked to close all the same.
 * - `closing`: it was asked to end in order, or said that it would; at `killAtMs` it is killed.
 * - `killing`: SIGKILL was sent; the exit will come.
 * - `resting`: the last worker ended; the next one starts at `startAtMs`.
 * - `quarantined`: its workers died too often in too short a time; none is started before `releaseAtMs`, or an operator says so.
 */
export type SlotState =
  | { readonly name: 'empty' }
  | { readonly name: 'starting'; readonly life: Life; readonly killAtMs: number }
  | { readonly name: 'running'; readonly life: Life }
  | {
      readonly name: 'retiring';
      readonly life: Life;
      readonly closeAtMs: number;
      readonly reason: string;
      /** Another worker is to take its place. */
      readonly isRestart: boolean;
    }
  | { readonly name: 'closing'; readonly life: Life; readonly killAtMs: number; readonly reason: string }
  | {
      readonly name: 'killing';
      readonly life: Life;
      /** Why, which is what its verdict will say. */
      readonly cause: DeathCause;
    }
  | { readonly name: 'resting'; readonly startAtMs: number }
  | {
      readonly name: 'quarantined';
      readonly sinceMs: number;
      /** `false`: an operator has to release it. */
      readonly releaseAtMs: number | false;
      /** For people. */
      readonly reason: string;
    };

/** One process in a slot. */
export interface Life {
  readonly workerId: WorkerId;
  readonly startedAtMs: number;
  readonly pid: number | undefined;
  /** The worker said it would end, and why. */
  readonly recyclingBecause: string | undefined;
  /** The worker said that it has been retired, and whether it leaves values on disk. */
  readonly retired: { readonly leavesValues: boolean } | undefined;
  readonly memory: MemoryWatch;
  readonly signs: SignsOfLife;
}

export interface Slot {
  readonly index: number;
  readonly workerName: string;
  state: SlotState;
  /** How many workers this slot has had. */
  lifeCount: number;
  readonly deaths: DeathHistory;
}

export function lifeOf(slot: Slot): Life | undefined {
  return 'life' in slot.state ? slot.state.life : undefined;
}
