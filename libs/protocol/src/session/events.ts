/**
 * What can happen to a session, what it asks for, and what it puts on the wire. See `session-machine.ts`.
 *
 * `connection` numbers the connections of one session from 1. An event of a connection that is not the present one is
 * ignored: it comes from a life that is over.
 */
import type { SpillwayError } from '@spillway/kernel';

/** Everything that can happen to a session. */
export type SessionEvent<Out, In> =
  /** Opener only, first of all: begin to connect. */
  | { readonly type: 'start' }
  /** Opener only: the transport is open, nothing was said yet. */
  | { readonly type: 'connection-opened'; readonly connection: number }
  /** Opener only: the acceptor's answer to the opening. */
  | { readonly type: 'welcome-received'; readonly connection: number; readonly welcome: Welcome }
  /** Opener only: the other side will not have this session, now or later. */
  | { readonly type: 'refused'; readonly connection: number; readonly error: SpillwayError }
  /** Acceptor only: an opening for this session arrived on a new connection, which takes over from the one before. */
  | { readonly type: 'connection-accepted'; readonly connection: number; readonly received: number }
  /** A batch, or with `seq` 0 a mere acknowledgement. `end`: the other side ends the session behind it. */
  | {
      readonly type: 'batch-received';
      readonly connection: number;
      readonly seq: number;
      readonly ack: number;
      readonly batch: In;
      readonly end?: string;
    }
  | { readonly type: 'connection-lost'; readonly connection: number; readonly reason: string }
  /** What arrived makes no sense: the session is over. */
  | { readonly type: 'peer-misbehaved'; readonly connection: number; readonly error: SpillwayError }
  /** One batch to deliver, with its encoded size. */
  | { readonly type: 'send'; readonly batch: Out; readonly bytes: number }
  /** This side ends the session, behind everything that was sent. */
  | { readonly type: 'close'; readonly reason: string }
  /** This side gives the session up at once, with what was not delivered. */
  | { readonly type: 'abandon'; readonly error: SpillwayError }
  /** Time has reached `nextWakeMs`. */
  | { readonly type: 'tick' };

/** Everything a session can ask of its runtime. After each event the runtime also takes frames (`takeFrame`). */
export type SessionInstruction<In> =
  /** Ends in `connection-opened` or `connection-lost`. */
  | { readonly type: 'connect'; readonly connection: number }
  /** `error`: what to tell the other side, where there is a way to. */
  | {
      readonly type: 'drop-connection';
      readonly connection: number;
      readonly reason: string;
      readonly error?: SpillwayError;
    }
  /** `resumed`: after a break. Else this is the beginning. */
  | { readonly type: 'established'; readonly resumed: boolean }
  | { readonly type: 'disconnected'; readonly reason: string }
  | { readonly type: 'deliver'; readonly batch: In }
  /** The last instruction of a session. `undefined`: ended on purpose by one of the two sides. */
  | { readonly type: 'ended'; readonly error: SpillwayError | undefined };

/** The acceptor's answer to an opening. */
export interface Welcome {
  /** Names this life of the acceptor. */
  readonly epoch: string;
  readonly resumed: boolean;
  /** Highest number received in this session. */
  readonly received: number;
  /** Both sides write at least this often. */
  readonly heartbeatMs: number;
}

/** What goes over the wire, in the order in which it is taken. */
export type SessionFrame<Out> =
  | {
      readonly type: 'opening';
      readonly nonce: string;
      readonly epoch: string;
      readonly received: number;
    }
  | { readonly type: 'welcome'; readonly welcome: Welcome }
  | { readonly type: 'batch'; readonly seq: number; readonly ack: number; readonly batch: Out }
  | { readonly type: 'ack'; readonly ack: number }
  /** The last frame: the runtime closes its direction of the connection behind it. */
  | { readonly type: 'end'; readonly seq: number; readonly ack: number; readonly reason: string };

export interface SessionOptions {
  readonly role: 'opener' | 'acceptor';
  /** Opener: random, once per session. Acceptor: the opener's. */
  readonly nonce: string;
  /** Acceptor: names its life. Opener: empty, it is learned. */
  readonly epoch: string;
  /** Acceptor: how often to write at least. Opener: assumed until it is learned. */
  readonly heartbeatMs: number;
  /** Opener: the first welcome must come within this. */
  readonly connectTimeoutMs: number;
  /** How long a session lives without a connection. */
  readonly resumeGraceMs: number;
  /** What is kept until it is acknowledged; over one of them the session ends with LIMIT_EXCEEDED. */
  readonly unackedBatchesMax: number;
  readonly unackedBytesMax: number;
  /** A number in [0, 1): spreads the attempts of many openers. */
  readonly random: () => number;
}
