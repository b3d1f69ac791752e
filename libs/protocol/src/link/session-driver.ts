/**
 * Performs what a `SessionMachine` asks for. Covers collecting the messages of a turn, encoding, time and
 * back-pressure; the connections themselves come from `open-link.ts` and `server/session-hub.ts`.
 */
import type { SpillwayError } from '@spillway/kernel';
import type { Cancellable, Clock, Link, LinkListener, Timers } from '@spillway/ports';
import type { SessionEvent, SessionFrame, SessionInstruction, SessionOptions } from '../session/events.js';
import { SessionMachine } from '../session/session-machine.js';
import { packBatches, type BatchBody, type BatchEncoder } from './batch-writer.js';

/** One connection under a session. */
export interface Connection {
  /** False when no more should be written until `driver.drained`. */
  write(bytes: Buffer): boolean;
  /** Nothing will be written any more. */
  finish(): void;
  /** Give it up; `error` is for the other side. */
  drop(error: SpillwayError | undefined): void;
}

export interface SessionDriverOptions<Out, In> {
  readonly session: SessionOptions;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly encoder: () => BatchEncoder<Out>;
  readonly encodeFrame: (frame: SessionFrame<BatchBody>) => Buffer;
  readonly listener: LinkListener<In>;
  /** Opener: make the connection of this number, then `attach` it. */
  readonly connect?: (connection: number) => void;
  /** The session is usable, for the first time or again. Comes before the listener is told. */
  readonly onEstablished?: (resumed: boolean) => void;
}

export type DriverEvent<In> = SessionEvent<BatchBody, readonly In[]>;

export class SessionDriver<Out, In> implements Link<Out> {
  readonly #options: SessionDriverOptions<Out, In>;
  readonly #machine: SessionMachine<BatchBody, readonly In[]>;
  #outbox: Out[] = [];
  #isFlushDue = false;
  #connection: { readonly number: number; readonly link: Connection; isBlocked: boolean } | undefined;
  #events: DriverEvent<In>[] = [];
  #isHandling = false;
  #wake: { readonly atMs: number; readonly timer: Cancellable } | undefined;

  constructor(options: SessionDriverOptions<Out, In>) {
    this.#options = options;
    this.#machine = new SessionMachine(options.session);
  }

  get hasEnded(): boolean {
    return this.#machine.hasEnded;
  }

  get backlogBytes(): number {
    return this.#machine.unacked.bytes;
  }

  send(message: Out): void {
    if (this.#machine.hasEnded) return;
    this.#outbox.push(message);
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#options.timers.soon(this.#flush);
  }

  close(reason: string): void {
    this.#flush();
    this.dispatch({ type: 'close', reason });
  }

  /** The connection that the next events are about. */
  attach(number: number, link: Connection): void {
    this.#connection = { number, link, isBlocked: false };
  }

  /** Acceptor: another connection of this session, which takes over from the one before. */
  takeOver(number: number, link: Connection, received: number): void {
    const before = this.#connection;
    this.attach(number, link);
    before?.link.drop(undefined);
    this.dispatch({ type: 'connection-accepted', connection: number, received });
  }

  /** The connection takes more again. */
  drained(number: number): void {
    if (this.#connection?.number !== number) return;
    this.#connection.isBlocked = false;
    this.#pump();
  }

  /** Handles the event, after those that are being handled. */
  dispatch(event: DriverEvent<In>): void {
    this.#events.push(event);
    if (this.#isHandling) return;
    this.#isHandling = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift())
        this.#handle(next);
    } finally {
      this.#isHandling = false;
    }
    this.#pump();
    this.#schedule();
  }

  readonly #flush = (): void => {
    this.#isFlushDue = false;
    const messages = this.#outbox;
    if (messages.length === 0 || this.#machine.hasEnded) return;
    this.#outbox = [];
    let bodies: BatchBody[];
    try {
      bodies = packBatches(messages, this.#options.encoder);
    } catch (error) {
      this.dispatch({ type: 'abandon', error: error as SpillwayError });
      return;
    }
    for (const batch of bodies) this.dispatch({ type: 'send', batch, bytes: batch.length });
  };

  #handle(event: DriverEvent<In>): void {
    const instructions = this.#machine.handle(event, this.#options.clock.nowMs());
    for (const instruction of instructions) this.#perform(instruction);
  }

  #perform(instruction: SessionInstruction<readonly In[]>): void {
    const { listener } = this.#options;
    switch (instruction.type) {
      case 'connect':
        this.#options.connect?.(instruction.connection);
        return;
      case 'drop-connection': {
        this.#drop(instruction.connection, instruction.error);
        return;
      }
      case 'established':
        this.#options.onEstablished?.(instruction.resumed);
        if (instruction.resumed) listener.onResumed?.();
        return;
      case 'disconnected':
        listener.onDisconnected?.(instruction.reason);
        return;
      case 'deliver':
        if (instruction.batch.length > 0) listener.onMessages(instruction.batch);
        return;
      case 'ended':
        this.#outbox = [];
        this.#wake?.timer.cancel();
        listener.onEnded(instruction.error);
        return;
    }
  }

  #drop(number: number, error: SpillwayError | undefined): void {
    if (this.#connection?.number !== number) return;
    const { link } = this.#connection;
    this.#connection = undefined;
    link.drop(error);
  }

  #pump(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#isHandling) return;
    while (!connection.isBlocked) {
      const frame = this.#machine.takeFrame(this.#options.clock.nowMs());
      if (frame === undefined) return;
      connection.isBlocked = !connection.link.write(this.#options.encodeFrame(frame));
      if (frame.type === 'end') connection.link.finish();
    }
  }

  /** One timer; one that comes too early costs less than setting a new one with each batch. */
  #schedule(): void {
    const atMs = this.#machine.nextWakeMs;
    if (atMs === undefined || (this.#wake !== undefined && this.#wake.atMs <= atMs)) return;
    this.#wake?.timer.cancel();
    const delayMs = Math.max(0, atMs - this.#options.clock.nowMs());
    const timer = this.#options.timers.after(delayMs, () => {
      this.#wake = undefined;
      this.dispatch({ type: 'tick' });
    });
    this.#wake = { atMs, timer };
  }
}
