/**
 * A session: messages arrive once and in order over connections that break, as long as both processes live.
 *
 * Covers numbering, acknowledging, replaying, resuming, signs of life, and when to give up. Does not cover encoding,
 * sockets, or whom a session belongs to: `link/` and `server/` perform its instructions over gRPC, the simulator over
 * its own network. Deterministic: time comes with each event, randomness from the options.
 *
 * Order matters: a runtime performs the instructions of an event first and then calls `takeFrame` for as long as its
 * connection takes more, so that a slow peer fills this machine's bounded window and not the transport's buffers.
 */
import {
  ClusterUnreachableError,
  InvalidArgumentError,
  LimitExceededError,
  SessionExpiredError,
  type SpillwayError,
} from '@spillway/kernel';
import type { SessionEvent, SessionFrame, SessionInstruction, SessionOptions, Welcome } from './events.js';
import { IncomingOrder } from './incoming-order.js';
import { OutgoingWindow } from './outgoing-window.js';
import { retryDelayMs } from './retry-delay.js';

/** Silence of so many heartbeats means that the connection is dead. */
const SILENT_HEARTBEATS_MAX = 3;
/** An attempt to connect that has had no answer for so long is given up for the next one. */
const ATTEMPT_TIMEOUT_MS = 5000;
/** How long to wait for the other side to hang up after we said that the session ends. */
const CLOSE_TIMEOUT_MS = 2000;

type Phase =
  | { readonly name: 'idle' }
  /** Opener: `greeting` is `waiting` until the transport is open, then `due`, then `said`. */
  | { readonly name: 'connecting'; readonly sinceMs: number; greeting: 'waiting' | 'due' | 'said' }
  | { readonly name: 'open'; lastReceivedMs: number; lastTakenMs: number; welcome: Welcome | undefined }
  /** Opener: the next attempt is at `retryAtMs`. */
  | { readonly name: 'broken'; readonly retryAtMs: number | undefined }
  /** The end was said; only the hang-up is awaited. */
  | { readonly name: 'finishing'; readonly untilMs: number }
  | { readonly name: 'ended' };

/** One end of a session. See the head of this file. */
export class SessionMachine<Out, In> {
  readonly #options: SessionOptions;
  readonly #outgoing = new OutgoingWindow<Out>();
  readonly #incoming = new IncomingOrder();
  #phase: Phase = { name: 'idle' };
  #connection = 0;
  #epoch: string;
  #heartbeatMs: number;
  #isEstablished = false;
  #attempts = 0;
  /** Without a connection: when to give up. */
  #giveUpAtMs = Infinity;
  #lastHandledMs = 0;
  /** See `#notice`. */
  #listenUntilMs = 0;
  #closeReason: string | undefined;
  #instructions: SessionInstruction<In>[] = [];

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#epoch = options.epoch;
    this.#heartbeatMs = options.heartbeatMs;
  }

  get hasEnded(): boolean {
    return this.#phase.name === 'ended';
  }
  get isConnected(): boolean {
    return this.#phase.name === 'open';
  }
  /** What is kept until the other side acknowledges it. */
  get unacked(): { readonly count: number; readonly bytes: number } {
    const { count, bytes } = this.#outgoing;
    return { count, bytes };
  }

  handle(event: SessionEvent<Out, In>, nowMs: number): readonly SessionInstruction<In>[] {
    this.#instructions = [];
    this.#notice(nowMs);
    if (this.#phase.name !== 'ended' && this.#isCurrent(event)) {
      try {
        this.#dispatch(event, nowMs);
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error;
        this.#end(error);
      }
    }
    return this.#instructions;
  }

  /** The next thing to write on the present connection, if there is any now. */
  takeFrame(nowMs: number): SessionFrame<Out> | undefined {
    const phase = this.#phase;
    if (phase.name === 'connecting' && phase.greeting === 'due') {
      phase.greeting = 'said';
      return {
        type: 'opening',
        nonce: this.#options.nonce,
        epoch: this.#epoch,
        received: this.#incoming.received,
      };
    }
    if (phase.name !== 'open') return undefined;
    const frame = this.#nextOf(phase, nowMs);
    if (frame !== undefined) phase.lastTakenMs = nowMs;
    if (frame?.type === 'end') this.#phase = { name: 'finishing', untilMs: nowMs + CLOSE_TIMEOUT_MS };
    return frame;
  }

  /** When to send the next `tick`, if nothing else happens before. */
  get nextWakeMs(): number | undefined {
    const wakeMs = this.#wakeMs();
    return Number.isFinite(wakeMs) ? wakeMs : undefined;
  }

  /**
   * Between events lies one heartbeat at most. A loop that was asleep for longer has not read what waits in its
   * sockets, so it listens for another heartbeat before it takes the silence for the peer's.
   */
  #notice(nowMs: number): void {
    if (nowMs - this.#lastHandledMs > 1.5 * this.#heartbeatMs)
      this.#listenUntilMs = nowMs + this.#heartbeatMs;
    this.#lastHandledMs = nowMs;
  }

  #isCurrent(event: SessionEvent<Out, In>): boolean {
    if (event.type === 'connection-accepted') return event.connection > this.#connection;
    return !('connection' in event) || event.connection === this.#connection;
  }

  #dispatch(event: SessionEvent<Out, In>, nowMs: number): void {
    switch (event.type) {
      case 'start':
        this.#giveUpAtMs = nowMs + this.#options.connectTimeoutMs;
        {
          this.#connect(nowMs);
          return;
        }
      case 'connection-opened':
        if (this.#phase.name === 'connecting' && this.#phase.greeting === 'waiting')
          this.#phase.greeting = 'due';
        return;
      case 'welcome-received': {
        this.#onWelcome(event.welcome, nowMs);
        return;
      }
      case 'connection-accepted': {
        this.#onAccepted(event.connection, event.received, nowMs);
        return;
      }
      case 'batch-received': {
        this.#onBatch(event, nowMs);
        return;
      }
      case 'connection-lost': {
        this.#onLost(event.reason, nowMs);
        return;
      }
      case 'send': {
        this.#onSend(event.batch, event.bytes);
        return;
      }
      case 'close': {
        this.#onClose(event.reason);
        return;
      }
      case 'refused':
      case 'peer-misbehaved':
      case 'abandon': {
        this.#end(event.error);
        return;
      }
      case 'tick': {
        this.#onTick(nowMs);
        return;
      }
    }
  }

  #connect(nowMs: number): void {
    this.#connection += 1;
    this.#attempts += 1;
    this.#phase = { name: 'connecting', sinceMs: nowMs, greeting: 'waiting' };
    this.#instructions.push({ type: 'connect', connection: this.#connection });
  }

  #onWelcome(welcome: Welcome, nowMs: number): void {
    if (this.#phase.name === 'open') throw new InvalidArgumentError('A second welcome on one connection.');
    if (this.#phase.name !== 'connecting') return;
    if (this.#isEstablished && (!welcome.resumed || welcome.epoch !== this.#epoch)) {
      this.#end(new SessionExpiredError('The scheduler does not know this session any more.'));
      return;
    }
    this.#epoch = welcome.epoch;
    this.#heartbeatMs = welcome.heartbeatMs;
    this.#open(welcome.received, undefined, nowMs);
  }

  #onAccepted(connection: number, received: number, nowMs: number): void {
    const isFirst = this.#connection === 0;
    this.#dropConnection('Another connection of the same session has taken over.');
    this.#connection = connection;
    const welcome = {
      epoch: this.#epoch,
      resumed: !isFirst,
      received: this.#incoming.received,
      heartbeatMs: this.#heartbeatMs,
    };
    this.#open(received, welcome, nowMs);
  }

  #open(received: number, welcome: Welcome | undefined, nowMs: number): void {
    const resumed = this.#isEstablished;
    this.#phase = { name: 'open', lastReceivedMs: nowMs, lastTakenMs: nowMs, welcome };
    this.#outgoing.rewind(received);
    this.#isEstablished = true;
    this.#attempts = 0;
    this.#giveUpAtMs = Infinity;
    this.#instructions.push({ type: 'established', resumed });
  }

  #onBatch(event: Extract<SessionEvent<Out, In>, { type: 'batch-received' }>, nowMs: number): void {
    if (this.#phase.name === 'connecting') throw new InvalidArgumentError('A batch came before the welcome.');
    // What still arrives behind our own end, or of a connection that we gave up, is nobody's any more.
    if (this.#phase.name !== 'open') return;
    this.#phase.lastReceivedMs = nowMs;
    this.#outgoing.acknowledge(event.ack);
    if (event.seq === 0 || !this.#incoming.accept(event.seq, nowMs)) return;
    this.#instructions.push({ type: 'deliver', batch: event.batch });
    if (event.end !== undefined) this.#end(undefined);
  }

  #onLost(reason: string, nowMs: number): void {
    if (this.#phase.name === 'finishing') {
      this.#end(undefined);
      return;
    }
    const wasOpen = this.#phase.name === 'open';
    if (this.#closeReason !== undefined) {
      this.#end(undefined);
      return;
    }
    if (wasOpen) {
      this.#giveUpAtMs = nowMs + this.#options.resumeGraceMs;
      this.#instructions.push({ type: 'disconnected', reason });
    }
    const isOpener = this.#options.role === 'opener';
    const delayMs = retryDelayMs(this.#attempts, this.#options.random());
    this.#phase = { name: 'broken', retryAtMs: isOpener ? nowMs + delayMs : undefined };
    if (nowMs >= this.#giveUpAtMs) this.#giveUp(reason);
  }

  #onSend(batch: Out, bytes: number): void {
    if (this.#closeReason !== undefined) return;
    this.#outgoing.add(batch, bytes);
    const { unackedBatchesMax, unackedBytesMax } = this.#options;
    if (this.#outgoing.count <= unackedBatchesMax && this.#outgoing.bytes <= unackedBytesMax) return;
    this.#end(
      new LimitExceededError(
        `The other side does not keep up: ${this.#outgoing.count} batches (${this.#outgoing.bytes} bytes) wait for ` +
          `it, more than ${unackedBatchesMax} batches or ${unackedBytesMax} bytes. The session is ended.`,
      ),
    );
  }

  #onClose(reason: string): void {
    if (this.#closeReason !== undefined || this.#phase.name === 'finishing') return;
    this.#closeReason = reason;
    if (this.#phase.name !== 'open') this.#end(undefined);
  }

  #onTick(nowMs: number): void {
    const phase = this.#phase;
    switch (phase.name) {
      case 'connecting':
        if (nowMs >= phase.sinceMs + ATTEMPT_TIMEOUT_MS || nowMs >= this.#giveUpAtMs) {
          this.#dropConnection('No answer.');
          this.#onLost('No answer.', nowMs);
        }
        return;
      case 'broken':
        if (nowMs >= this.#giveUpAtMs) this.#giveUp('The connection could not be made again.');
        else if (phase.retryAtMs !== undefined && nowMs >= phase.retryAtMs) this.#connect(nowMs);
        return;
      case 'open':
        if (nowMs >= this.#silentAtMs(phase.lastReceivedMs)) {
          const reason = `Nothing was heard for ${nowMs - phase.lastReceivedMs} ms.`;
          this.#dropConnection(reason);
          this.#onLost(reason, nowMs);
        }
        return;
      case 'finishing':
        if (nowMs >= phase.untilMs) this.#end(undefined);
        return;
      case 'idle':
      case 'ended':
    }
  }

  #giveUp(reason: string): void {
    if (this.#options.role === 'acceptor') {
      this.#end(new SessionExpiredError(`The connection was lost and not resumed in time. ${reason}`));
      return;
    }
    const what = this.#isEstablished
      ? 'The connection to the scheduler was lost'
      : 'The scheduler was not reached';
    const limitMs = this.#isEstablished ? this.#options.resumeGraceMs : this.#options.connectTimeoutMs;
    this.#end(new ClusterUnreachableError(`${what}, and ${limitMs} ms of trying did not help. ${reason}`));
  }

  #end(error: SpillwayError | undefined): void {
    this.#dropConnection(error?.message ?? 'The session has ended.', error);
    this.#phase = { name: 'ended' };
    this.#instructions.push({ type: 'ended', error });
  }

  #dropConnection(reason: string, error?: SpillwayError): void {
    const { name } = this.#phase;
    if (name !== 'open' && name !== 'connecting' && name !== 'finishing') return;
    const connection = this.#connection;
    this.#instructions.push({
      type: 'drop-connection',
      connection,
      reason,
      ...(error === undefined ? {} : { error }),
    });
  }

  #nextOf(phase: Extract<Phase, { name: 'open' }>, nowMs: number): SessionFrame<Out> | undefined {
    if (phase.welcome !== undefined) {
      const { welcome } = phase;
      phase.welcome = undefined;
      return { type: 'welcome', welcome };
    }
    const next = this.#outgoing.take();
    if (next !== undefined) {
      return { type: 'batch', seq: next.seq, ack: this.#incoming.takeAck(), batch: next.batch };
    }
    if (this.#closeReason !== undefined) {
      return {
        type: 'end',
        seq: this.#outgoing.last + 1,
        ack: this.#incoming.takeAck(),
        reason: this.#closeReason,
      };
    }
    if (nowMs < phase.lastTakenMs + this.#heartbeatMs && nowMs < this.#incoming.ackDueAtMs) return undefined;
    return { type: 'ack', ack: this.#incoming.takeAck() };
  }

  #silentAtMs(lastReceivedMs: number): number {
    return Math.max(lastReceivedMs + SILENT_HEARTBEATS_MAX * this.#heartbeatMs, this.#listenUntilMs);
  }

  #wakeMs(): number {
    const phase = this.#phase;
    switch (phase.name) {
      case 'connecting':
        return Math.min(phase.sinceMs + ATTEMPT_TIMEOUT_MS, this.#giveUpAtMs);
      case 'broken':
        return Math.min(phase.retryAtMs ?? Infinity, this.#giveUpAtMs);
      case 'open':
        return Math.min(
          phase.lastTakenMs + this.#heartbeatMs,
          this.#incoming.ackDueAtMs,
          this.#silentAtMs(phase.lastReceivedMs),
        );
      case 'finishing':
        return phase.untilMs;
      case 'idle':
      case 'ended':
        return Infinity;
    }
  }
}
