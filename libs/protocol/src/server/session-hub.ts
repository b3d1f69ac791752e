/**
 * The scheduler's side of all sessions of one kind: finds the session a new connection belongs to, begins one, or
 * refuses. Sessions themselves are `SessionMachine`s.
 */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import {
  InvalidArgumentError,
  InvalidTransitionError,
  InvariantError,
  SessionExpiredError,
  SpillwayError,
  UnavailableError,
  VersionMismatchError,
} from '@spillway/kernel';
import { PROTOCOL_VERSION } from '@spillway/messages';
import type { Clock, Link, LinkListener, Timers } from '@spillway/ports';
import { decoded } from '../decoding.js';
import { numbered, type BatchBody } from '../link/batch-writer.js';
import type { DownCodec, Opening, UpCodec, UpEnvelope } from '../link/envelopes.js';
import { SESSION_LIMITS } from '../link/limits.js';
import { SessionDriver, type Connection } from '../link/session-driver.js';
import type { SessionFrame } from '../session/events.js';
import { toServiceError } from '../status.js';

/** A connection whose first words do not come within this is not kept. */
const OPENING_TIMEOUT_MS = 10_000;

export interface SessionHubOptions<Hello, Out, In> {
  readonly up: UpCodec<Hello, In>;
  readonly down: DownCodec<Out>;
  /** Throws a `SpillwayError` to refuse. */
  readonly open: (hello: Hello, link: Link<Out>) => LinkListener<In>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly resumeGraceMs: number;
  readonly heartbeatMs: number;
  /** Names this life of the scheduler. */
  readonly epoch: string;
}

interface Session<Hello, Out, In> {
  readonly nonce: string;
  readonly hello: Hello;
  readonly driver: SessionDriver<Out, In>;
  connectionCount: number;
}

type Call = ServerDuplexStream<Buffer, Buffer>;

/** Where the events of one connection go, once it has said which session it is of. */
interface Route<Hello, Out, In> {
  readonly session: Session<Hello, Out, In>;
  readonly connection: number;
}

export class SessionHub<Hello, Out, In> {
  readonly #options: SessionHubOptions<Hello, Out, In>;
  readonly #sessions = new Map<string, Session<Hello, Out, In>>();
  #isClosing = false;
  #whenEmpty: (() => void) | undefined;

  constructor(options: SessionHubOptions<Hello, Out, In>) {
    this.#options = options;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** First words of the session of this id. */
  helloOf(sessionId: string): Hello | undefined {
    return this.#sessions.get(sessionId)?.hello;
  }

  /** Takes a new connection. */
  readonly accept = (call: Call): void => {
    const connection = connectionOf(call);
    let route: Route<Hello, Out, In> | undefined;
    const deadline = this.#options.timers.after(OPENING_TIMEOUT_MS, () => {
      if (route === undefined) connection.drop(new InvalidArgumentError('No opening came.'));
    });
    const lost = (reason: string): void => {
      deadline.cancel();
      route?.session.driver.dispatch({ type: 'connection-lost', connection: route.connection, reason });
    };
    call.on('error', () => lost('The connection failed.'));
    call.on('cancelled', () => lost('The connection broke.'));
    call.on('end', () => {
      call.end();
      lost('The other side hung up.');
    });
    call.on('drain', () => route?.session.driver.drained(route.connection));
    call.on('data', (bytes: Buffer) => {
      const envelope = decoded(() => this.#options.up.decode(bytes));
      if (route === undefined) route = this.#first(envelope, connection);
      else this.#next(envelope, route);
    });
  };

  /** Ends all sessions; resolves when they have ended. New ones are refused. */
  close(reason: string): Promise<void> {
    this.#isClosing = true;
    for (const { driver } of [...this.#sessions.values()]) driver.close(reason);
    if (this.#sessions.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenEmpty = resolve;
    });
  }

  #first(
    envelope: UpEnvelope<Hello, In> | SpillwayError,
    connection: Connection,
  ): Route<Hello, Out, In> | undefined {
    try {
      if (envelope instanceof SpillwayError) throw envelope;
      const { opening } = envelope;
      if (opening === undefined) throw new InvalidArgumentError('The first message must be an opening.');
      const session = this.#sessionFor(opening.session, opening.hello);
      session.connectionCount += 1;
      const number = session.connectionCount;
      session.driver.takeOver(number, connection, opening.session.received);
      return { session, connection: number };
    } catch (error) {
      connection.drop(error instanceof SpillwayError ? error : new InvariantError(String(error)));
      // A mistake of ours, not of whoever connects: the process stops.
      if (!(error instanceof SpillwayError)) throw error;
      if (error instanceof InvariantError || error instanceof InvalidTransitionError) throw error;
      return undefined;
    }
  }

  #next(
    envelope: UpEnvelope<Hello, In> | SpillwayError,
    { session, connection }: Route<Hello, Out, In>,
  ): void {
    if (envelope instanceof SpillwayError) {
      session.driver.dispatch({ type: 'peer-misbehaved', connection, error: envelope });
      return;
    }
    const { seq, ack, messages, end } = envelope;
    session.driver.dispatch({
      type: 'batch-received',
      connection,
      seq,
      ack,
      batch: messages,
      ...(end === undefined ? {} : { end }),
    });
  }

  #sessionFor(opening: Opening, hello: Hello): Session<Hello, Out, In> {
    const { up, epoch } = this.#options;
    const id = up.sessionId(hello);
    const known = this.#sessions.get(id);
    if (opening.epoch !== '' && (opening.epoch !== epoch || known?.nonce !== opening.nonce)) {
      throw new SessionExpiredError(
        `The scheduler does not know the session of ${id} (any more). Begin a new one.`,
      );
    }
    if (known?.nonce === opening.nonce) return known;
    if (opening.received > 0) throw new InvalidArgumentError('A new session cannot have received anything.');
    if (this.#isClosing) throw new SessionExpiredError('The scheduler is closing.');
    checkVersion(up.version(hello));
    known?.driver.dispatch({
      type: 'abandon',
      error: new SessionExpiredError(`Another program has begun a session as ${id}.`),
    });
    return this.#begin(id, opening.nonce, hello);
  }

  #begin(id: string, nonce: string, hello: Hello): Session<Hello, Out, In> {
    const { down, clock, timers, open } = this.#options;
    const later: { listener?: LinkListener<In> } = {};
    const driver = new SessionDriver<Out, In>({
      session: {
        role: 'acceptor',
        nonce,
        epoch: this.#options.epoch,
        heartbeatMs: this.#options.heartbeatMs,
        connectTimeoutMs: 0,
        resumeGraceMs: this.#options.resumeGraceMs,
        ...SESSION_LIMITS,
        random: () => 0,
      },
      clock,
      timers,
      encoder: () => down.encoder(),
      encodeFrame: (frame) => encodeFrame(down, frame),
      listener: {
        onMessages: (messages) => later.listener?.onMessages(messages),
        onDisconnected: (reason) => later.listener?.onDisconnected?.(reason),
        onResumed: () => later.listener?.onResumed?.(),
        onEnded: (error) => {
          this.#forget(id, driver);
          later.listener?.onEnded(error);
        },
      },
    });
    const session = { nonce, hello, driver, connectionCount: 0 };
    later.listener = open(hello, driver);
    if (driver.hasEnded) throw new UnavailableError(`The session of ${id} was closed before it began.`);
    this.#sessions.set(id, session);
    return session;
  }

  #forget(id: string, driver: SessionDriver<Out, In>): void {
    if (this.#sessions.get(id)?.driver === driver) this.#sessions.delete(id);
    if (this.#sessions.size === 0) this.#whenEmpty?.();
  }
}

function checkVersion({ major, minor }: { readonly major: number; readonly minor: number }): void {
  if (major === PROTOCOL_VERSION.major) return;
  const ours = `${PROTOCOL_VERSION.major}.${PROTOCOL_VERSION.minor}`;
  throw new VersionMismatchError(
    `The scheduler speaks protocol ${ours}, the other side ${major}.${minor}. Upgrade the older of the two.`,
    { details: { scheduler: ours, peer: `${major}.${minor}` } },
  );
}

const connectionOf = (call: Call): Connection => ({
  write: (bytes) => call.write(bytes),
  finish: () => call.end(),
  drop: (error) => {
    if (error === undefined) call.end();
    else call.emit('error', toServiceError(error));
  },
});

function encodeFrame<Out>(down: DownCodec<Out>, frame: SessionFrame<BatchBody>): Buffer {
  switch (frame.type) {
    case 'welcome':
      return numbered(0, 0, down.encodeWelcome(frame.welcome));
    case 'batch':
      return numbered(frame.seq, frame.ack, frame.batch);
    case 'end':
      return numbered(frame.seq, frame.ack, down.encodeEnd(frame.reason));
    case 'ack':
    case 'opening':
      return numbered(0, frame.type === 'ack' ? frame.ack : 0, new Uint8Array());
  }
}
