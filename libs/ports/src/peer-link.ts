import type { TaskKey, WorkerId } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import type { SpilledRead } from './value-store.js';

export interface GatherRequest {
  readonly peerId: WorkerId;
  readonly address: string;
  readonly keys: readonly { readonly key: TaskKey; readonly nbytes: number }[];
}

/** A value that arrived. Larger ones are in a SharedArrayBuffer of their own. */
export interface ArrivedValue {
  readonly key: TaskKey;
  readonly payload: Payload;
}

/** Every gather ends in exactly one of these. */
export type GatherOutcome =
  /** Values that arrived, and keys the peer did not have. */
  | {
      readonly type: 'gather-success';
      readonly values: readonly ArrivedValue[];
      readonly missing: readonly TaskKey[];
    }
  /** The peer serves enough others now. */
  | { readonly type: 'gather-busy' }
  /** The peer could not be reached or broke off; values that arrived whole before that are kept. */
  | {
      readonly type: 'gather-network-failure';
      readonly values: readonly ArrivedValue[];
      readonly message: string;
    };

/** Fetches values from other workers, off the control loop. */
export interface PeerLink {
  gather(request: GatherRequest): Promise<GatherOutcome>;
  /** Breaks off what is under way with this peer and forgets the connection. */
  forget(peerId: WorkerId): void;
}

/** What memory pressure asks of a worker's transfers. */
export interface TransferControl {
  /** Most transfers served at a time; takes effect for the next one that is asked for. */
  setServingMax(count: number): void;
  /** What health says of taking tasks: false while the worker is paused. */
  setAcceptingTasks(on: boolean): void;
  /** Resolves when the isolate that does the transfers has collected. */
  collectGarbage(): Promise<void>;
}

/** What a worker's data service needs of its worker. */
export interface ValueSource {
  /**
   * The value, for one transfer: from RAM, or where it lies on disk, to be streamed from there without taking its size in
   * memory and then released; `undefined` when this worker does not hold it.
   */
  serve(key: TaskKey): Promise<Payload | SpilledRead | undefined>;
  /** What `serve` pointed to is not what was written, or not there. */
  reportUnreadable(read: SpilledRead, reason: 'damaged' | 'gone'): void;
  /** A client (or peer) put a value here. Rejects when it is refused. */
  accept(value: ArrivedValue): Promise<void>;
}
