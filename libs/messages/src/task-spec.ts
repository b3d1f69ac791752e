import type { ModuleHash, TaskKey } from '@spillway/kernel';
import type { Encoding, Payload } from './values.js';

/** Which function a task runs (architecture.md D12). */
export type FunctionRef =
  /** An export of a module bundle that was uploaded under its content hash. */
  | { readonly kind: 'bundle'; readonly moduleHash: ModuleHash; readonly exportName: string }
  /** An export of a module that operators installed on the workers. */
  | { readonly kind: 'preinstalled'; readonly module: string; readonly exportName: string };

/** `sum` of `module#sum`, or the export name of a bundle: what durations are learned by and pictures are coloured by. */
export type FunctionName = string;

/** One task as submitted. Everything a worker needs to run it, and everything that tells two tasks of one key apart. */
export interface TaskSpec {
  readonly key: TaskKey;
  readonly function: FunctionRef;
  /**
   * The encoded array of arguments. Where a future stood in it, the encoded form has a placeholder with an index into
   * `dependencies` (in `json`: an object `{"$dependency": index}`; in `v8`: see `libs/values`).
   */
  readonly args: Payload;
  /** Keys of the results this task takes, each once, in placeholder order. */
  readonly dependencies: readonly TaskKey[];
  /** User priority; larger runs earlier. Default 0. */
  readonly priority: number;
  /** How often the task is run again after its function threw. Deaths of workers are counted elsewhere. */
  readonly retries: number;
  /** Names or ids of the workers it may run on; empty for any. */
  readonly workers: readonly string[];
  /** With `workers`: use others when none of them is there. */
  readonly allowOtherWorkers: boolean;
  /** Longest run of one attempt; `false` for no limit. */
  readonly timeoutMs: number | false;
  /** `false`: side effects must not run twice, so losing the result is `LOST_DATA` instead of a second run. */
  readonly recompute: boolean;
  /** How the result is encoded. */
  readonly resultEncoding: Encoding;
}

export function functionNameOf(ref: FunctionRef): FunctionName {
  return ref.kind === 'bundle' ? ref.exportName : `${ref.module}#${ref.exportName}`;
}
