/**
 * What the main thread of a worker and its task threads say to each other. Small results do not travel here but in the
 * shared memory of `shared-memory.ts`, where they survive the end of their thread; `ping` says that there are some.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ModuleHash } from '@spillway/kernel';
import type { Encoding, FunctionRef, RemoteError } from '@spillway/messages';
import type { StopReason, TaskLogLine } from '@spillway/ports';
import type { Pack } from './pack.js';

/** Everything handed to a thread in one turn, in order. */
export interface RunsMessage {
  readonly type: 'runs';
  readonly count: number;
  /** The keys of the inputs are in the pack. */
  readonly hasInputKeys: boolean;
  readonly functions: readonly FunctionRef[];
  readonly pack: Pack;
}

export type ToThread =
  | RunsMessage
  /** Abort the signal of this run, if it is the one under way. */
  | { readonly type: 'abort'; readonly seq: number; readonly reason: StopReason }
  /** A bundle that is not on disk: before the runs that need it. */
  | { readonly type: 'take-module'; readonly hash: ModuleHash; readonly bytes: Uint8Array }
  | { readonly type: 'unload-modules'; readonly hashes: readonly ModuleHash[] }
  /** Values were dropped that the thread may have seen: their memory returns once it has collected. Ends in `done`. */
  | { readonly type: 'collect-garbage'; readonly request: number }
  /** Let go of all decoded copies. Ends in `done`. */
  | { readonly type: 'drop-copies'; readonly request: number }
  | { readonly type: 'forget-copies'; readonly keys: readonly string[] };

export type FromThread =
  | { readonly type: 'ready' }
  /** There are results in the shared memory. */
  | { readonly type: 'ping' }
  | { readonly type: 'done'; readonly request: number }
  /** A result that is too large for the shared memory; `data` is in a shared buffer of exactly its size. */
  | {
      readonly type: 'success';
      readonly seq: number;
      readonly durationMs: number;
      readonly encoding: Encoding;
      readonly data: Uint8Array;
    }
  | {
      readonly type: 'failure';
      readonly seq: number;
      readonly error: RemoteError;
      readonly mayRetry: boolean;
    }
  /** Something was thrown outside any task's call; the thread ends after this. */
  | { readonly type: 'crash'; readonly error: RemoteError; readonly raisedBy: string | undefined }
  | {
      readonly type: 'log';
      readonly key: string | undefined;
      readonly level: TaskLogLine['level'];
      readonly text: string;
    };

/** What a thread is started with. Not left in sight of user code. */
export interface ThreadSetup {
  readonly port: MessagePort;
  readonly memory: SharedArrayBuffer;
  readonly moduleFolder: string;
  readonly installFolder: string;
  readonly preinstalled: Readonly<Record<string, string>>;
  readonly workerName: string;
  readonly validate: boolean;
  /** Most bytes of decoded copies in this thread; `false` keeps none. */
  readonly copyBytesMax: number | false;
}
