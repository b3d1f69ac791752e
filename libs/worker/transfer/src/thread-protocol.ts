/**
 * What the worker's main thread and its transfer thread say to each other. Everything of one turn travels in one
 * message. Bytes in shared buffers cross uncopied; others are copied once and handed over.
 */
import type { TaskKey } from '@spillway/kernel';
import type { Encoding, Payload, RemoteError } from '@spillway/messages';
import type { ArrivedValue, GatherOutcome, GatherRequest } from '@spillway/ports';
import type { ChannelSecurity, ServerSecurity } from '@spillway/protocol';
import type { SpilledLocation } from '@spillway/worker-store';

/** How the thread is started (`workerData`). */
export interface ThreadSettings {
  readonly listenAddress: string;
  readonly servingMax: number;
  readonly putBytesMax: number;
  readonly reflection: boolean;
  readonly serverSecurity: ServerSecurity | undefined;
  readonly channelSecurity: ChannelSecurity | undefined;
  readonly parentPid: number | undefined;
}

/** Where a value lies on disk, and what it is. */
export interface SpilledValue extends SpilledLocation {
  /** Of the request that it answers. */
  readonly id: number;
  readonly encoding: Encoding;
}

export type UnreadableReason = 'damaged' | 'gone';

/** Main thread → transfer thread. */
export type ToThread =
  /** Answered by `gathered`. */
  | {
      readonly type: 'gather';
      readonly id: number;
      readonly address: string;
      readonly keys: GatherRequest['keys'];
    }
  | { readonly type: 'forget'; readonly address: string }
  | { readonly type: 'set-serving-max'; readonly count: number }
  | { readonly type: 'set-accepting-tasks'; readonly on: boolean }
  /** Answers `serve`; no value: not held here. One that lies on disk stays there until `release`. */
  | { readonly type: 'served'; readonly id: number; readonly value: Payload | SpilledValue | undefined }
  /** Answers `accept`. */
  | { readonly type: 'accepted'; readonly id: number }
  /** Answers `serve` or `accept`. */
  | { readonly type: 'source-failed'; readonly id: number; readonly error: RemoteError }
  /** Values were dropped that the thread may have seen: their memory returns once it has collected. Answered by `collected`. */
  | { readonly type: 'collect-garbage'; readonly id: number }
  /** Answered by `closed`. */
  | { readonly type: 'close' };

/** Transfer thread → main thread. */
export type FromThread =
  /** Serving, at this address. The first word of a thread that started. */
  | { readonly type: 'listening'; readonly address: string }
  /** The first and last word of a thread that could not start. */
  | { readonly type: 'start-failed'; readonly error: RemoteError }
  | { readonly type: 'gathered'; readonly id: number; readonly outcome: GatherOutcome }
  /** A peer wants this value. Answered by `served` or `source-failed`. */
  | { readonly type: 'serve'; readonly id: number; readonly key: TaskKey }
  /** What was `served` under this id is not what was written to disk, or not there. Before its `release`. */
  | { readonly type: 'unreadable'; readonly id: number; readonly reason: UnreadableReason }
  /** What was `served` from disk under this id is read no more. Once for each, however the transfer ended. */
  | { readonly type: 'release'; readonly id: number }
  /** A client has put this value. Answered by `accepted` or `source-failed`. */
  | { readonly type: 'accept'; readonly id: number; readonly value: ArrivedValue }
  | { readonly type: 'collected'; readonly id: number }
  | { readonly type: 'closed' };
