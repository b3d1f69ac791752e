import type { TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';

/** The values a worker holds. Immutable once put; putting a key again is a no-op. */
export interface ValueStore {
  readonly managedBytes: number;
  readonly keyCount: number;
  put(key: TaskKey, payload: Payload): void;
  has(key: TaskKey): boolean;
  /** Only what is in RAM now. */
  peek(key: TaskKey): Payload | undefined;
  /** From RAM or, in time, from disk; `undefined` when not held. */
  load(key: TaskKey): Promise<Payload | undefined>;
  /** Drops the value in every tier without reading it. Unknown keys are ignored. */
  free(key: TaskKey): void;
  keys(): Iterable<TaskKey>;
}
