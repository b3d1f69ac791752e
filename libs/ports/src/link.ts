import type { SpillwayError } from '@spillway/kernel';

/**
 * One end of a session between two programs: messages arrive once, in order, as long as both processes live, even
 * when the connection under it breaks and is made again (`libs/protocol`, session). Sent messages are collected and
 * go out together once the turn's events are handled.
 */
export interface Link<Out> {
  send(message: Out): void;
  /** What the other end has not acknowledged yet: whoever has much to say waits until this is less. */
  readonly backlogBytes?: number;
  /** Ends the session on purpose, after what was sent has been handed to the network. */
  close(reason: string): void;
}

/** What the other end does. Calls come one at a time. */
export interface LinkListener<In> {
  /** Everything that arrived in one turn, oldest first. */
  onMessages(messages: readonly In[]): void;
  /** The connection is down; the session may still resume. For display only. */
  onDisconnected?(reason: string): void;
  onResumed?(): void;
  /** The session is over: closed by the peer (`undefined`), refused, or not resumed within its grace period. */
  onEnded(error: SpillwayError | undefined): void;
}
