/**
 * The side that opens a session: client, worker and nanny. Makes connections when the session asks for one, each on a
 * channel of its own, and reads what comes.
 */
import { randomUUID } from 'node:crypto';
import { Client, type ClientDuplexStream, status as statusCode, type StatusObject } from '@grpc/grpc-js';
import { ClusterUnreachableError, SpillwayError } from '@spillway/kernel';
import type {
  ClientHello,
  ClientToScheduler,
  NannyHello,
  NannyToScheduler,
  SchedulerToClient,
  SchedulerToNanny,
  SchedulerToWorker,
  WorkerHello,
  WorkerToScheduler,
} from '@spillway/messages';
import type { Clock, Link, LinkListener, Timers } from '@spillway/ports';
import { spillway } from '@spillway/proto';
import { CONTROL_CHANNEL_OPTIONS } from '../channel/control-options.js';
import { probeAddress } from '../channel/probe-address.js';
import { channelCredentials, type ChannelSecurity } from '../channel/security.js';
import { rawMethod, type MethodInfo } from '../service.js';
import type { SessionFrame } from '../session/events.js';
import { fromServiceError, isTransient } from '../status.js';
import { numbered, type BatchBody } from './batch-writer.js';
import {
  clientDown,
  clientUp,
  nannyDown,
  nannyUp,
  workerDown,
  workerUp,
  type DownCodec,
  type UpCodec,
} from './envelopes.js';
import { SESSION_LIMITS } from './limits.js';
import { ListenerGate } from './listener-gate.js';
import { decoded } from '../decoding.js';
import { SessionDriver, type Connection, type DriverEvent } from './session-driver.js';

export interface LinkOptions<Hello, In> {
  /** `host:port` of the scheduler. */
  readonly address: string;
  /** Asked with every connection; the identity in it must stay the same. */
  readonly hello: () => Hello;
  readonly listener: LinkListener<In>;
  readonly clock: Clock;
  readonly timers: Timers;
  /** For the first connection; then `ClusterUnreachableError`. */
  readonly connectTimeoutMs: number;
  /** How long to try to resume a broken connection; then the session ends with `ClusterUnreachableError`. */
  readonly resumeGraceMs: number;
  /** Default: not encrypted. */
  readonly security?: ChannelSecurity;
  /** Gives up connecting (rejecting with its reason), later closes the link. */
  readonly signal?: AbortSignal;
}

interface LinkKind<Hello, Out, In> {
  readonly up: UpCodec<Hello, Out>;
  readonly down: DownCodec<In>;
  readonly method: MethodInfo;
}

const HOLD_INTERVAL_MS = 2 ** 30;

const { openClient, openWorker, openNanny } = spillway.v1.SchedulerService.prototype;

/**
 * Opens a session; resolves once the scheduler has accepted the hello. Messages are delivered only after the caller
 * has had the link. `onEnded` comes exactly once after that, also after an own `close`; with `SessionExpiredError` the
 * scheduler was restarted, and a new link may be opened.
 */
export const openClientLink = (
  options: LinkOptions<ClientHello, SchedulerToClient>,
): Promise<Link<ClientToScheduler>> =>
  openLink({ up: clientUp, down: clientDown, method: openClient }, options);

/** Like `openClientLink`, for a worker. */
export const openWorkerLink = (
  options: LinkOptions<WorkerHello, SchedulerToWorker>,
): Promise<Link<WorkerToScheduler>> =>
  openLink({ up: workerUp, down: workerDown, method: openWorker }, options);

/** Like `openClientLink`, for a nanny. */
export const openNannyLink = (
  options: LinkOptions<NannyHello, SchedulerToNanny>,
): Promise<Link<NannyToScheduler>> => openLink({ up: nannyUp, down: nannyDown, method: openNanny }, options);

function openLink<Hello, Out, In>(
  kind: LinkKind<Hello, Out, In>,
  options: LinkOptions<Hello, In>,
): Promise<Link<Out>> {
  return new Promise((resolve, reject) => {
    options.signal?.throwIfAborted();
    const gate = new ListenerGate(options.listener, options.timers);
    // Between two attempts there is no socket, and timers of the port hold no process: a program that only awaits a
    // result would end in the middle of it.
    const hold = setInterval(() => undefined, HOLD_INTERVAL_MS);
    const driver: SessionDriver<Out, In> = new SessionDriver({
      session: sessionOptions(options),
      clock: options.clock,
      timers: options.timers,
      encoder: () => kind.up.encoder(),
      encodeFrame: (frame) => encodeFrame(kind.up, frame, options.hello),
      connect: (connection) => connect(kind, options, driver, connection),
      onEstablished: (resumed) => {
        if (resumed) return;
        gate.open();
        resolve(driver);
      },
      listener: {
        onMessages: (messages) => gate.onMessages(messages),
        onDisconnected: (reason) => gate.onDisconnected(reason),
        onResumed: () => gate.onResumed(),
        onEnded: (error) => {
          clearInterval(hold);
          options.signal?.removeEventListener('abort', onAbort);
          if (gate.onEnded(error)) return;
          reject(asReason(options.signal, error));
        },
      },
    });
    const onAbort = (): void => driver.close('aborted');
    options.signal?.addEventListener('abort', onAbort, { once: true });
    driver.dispatch({ type: 'start' });
  });
}

const asReason = (signal: AbortSignal | undefined, error: SpillwayError | undefined): Error =>
  signal?.aborted === true
    ? (signal.reason as Error)
    : (error ?? new ClusterUnreachableError('The scheduler ended the session before it began.'));

const sessionOptions = <Hello, In>(
  options: LinkOptions<Hello, In>,
): ConstructorParameters<typeof SessionDriver<never, In>>[0]['session'] => ({
  role: 'opener',
  nonce: randomUUID(),
  epoch: '',
  // Until the scheduler says how often.
  heartbeatMs: 5000,
  connectTimeoutMs: options.connectTimeoutMs,
  resumeGraceMs: options.resumeGraceMs,
  ...SESSION_LIMITS,
  random: Math.random,
});

function encodeFrame<Hello, Out>(
  up: UpCodec<Hello, Out>,
  frame: SessionFrame<BatchBody>,
  hello: () => Hello,
): Buffer {
  switch (frame.type) {
    case 'opening':
      return numbered(0, 0, up.encodeOpening(frame, hello()));
    case 'batch':
      return numbered(frame.seq, frame.ack, frame.batch);
    case 'end':
      return numbered(frame.seq, frame.ack, up.encodeEnd(frame.reason));
    case 'ack':
    case 'welcome':
      return numbered(0, frame.type === 'ack' ? frame.ack : 0, new Uint8Array());
  }
}

function connect<Hello, Out, In>(
  kind: LinkKind<Hello, Out, In>,
  options: LinkOptions<Hello, In>,
  driver: SessionDriver<Out, In>,
  connection: number,
): void {
  const probing = new AbortController();
  // Nothing is written before the connection is opened; all that can happen to it until then is that it is dropped.
  driver.attach(connection, { write: () => true, finish: () => undefined, drop: () => probing.abort() });
  probeAddress(options.address, options.connectTimeoutMs, probing.signal).then(
    () => {
      if (!probing.signal.aborted) openCall(kind, options, driver, connection);
    },
    (error: unknown) => {
      if (probing.signal.aborted) return;
      driver.dispatch({ type: 'connection-lost', connection, reason: (error as Error).message });
    },
  );
}

function openCall<Hello, Out, In>(
  kind: LinkKind<Hello, Out, In>,
  options: LinkOptions<Hello, In>,
  driver: SessionDriver<Out, In>,
  connection: number,
): void {
  const client = new Client(options.address, channelCredentials(options.security), CONTROL_CHANNEL_OPTIONS);
  const method = rawMethod(kind.method);
  const call = client.makeBidiStreamRequest(method.path, method.requestSerialize, method.responseDeserialize);
  // Without a listener an 'error' ends the process; 'status' follows it and says the same.
  call.on('error', () => undefined);
  call.on('data', (bytes: Buffer) => receive(kind.down, driver, connection, bytes));
  call.on('drain', () => driver.drained(connection));
  call.on('status', (status: StatusObject) => {
    client.close();
    // What arrived just before the end of the stream is read first.
    options.timers.soon(() => driver.dispatch(endedWith(connection, status)));
  });
  driver.attach(connection, outgoing(call, client));
  driver.dispatch({ type: 'connection-opened', connection });
}

const outgoing = (call: ClientDuplexStream<Buffer, Buffer>, client: Client): Connection => ({
  write: (bytes) => call.write(bytes),
  finish: () => call.end(),
  drop: () => {
    call.cancel();
    client.close();
  },
});

function receive<Out, In>(
  down: DownCodec<In>,
  driver: SessionDriver<Out, In>,
  connection: number,
  bytes: Buffer,
): void {
  const envelope = decoded(() => down.decode(bytes));
  if (envelope instanceof SpillwayError) {
    driver.dispatch({ type: 'peer-misbehaved', connection, error: envelope });
    return;
  }
  const { welcome, seq, ack, messages, end } = envelope;
  if (welcome !== undefined) {
    driver.dispatch({ type: 'welcome-received', connection, welcome });
    return;
  }
  driver.dispatch({
    type: 'batch-received',
    connection,
    seq,
    ack,
    batch: messages,
    ...(end === undefined ? {} : { end }),
  });
}

/** A refusal with a reason ends the session; anything else is the network's doing, and another attempt may help. */
function endedWith<In>(connection: number, status: StatusObject): DriverEvent<In> {
  if (status.code === statusCode.OK)
    return { type: 'connection-lost', connection, reason: 'The scheduler hung up.' };
  const error = fromServiceError(status);
  return isTransient(error)
    ? { type: 'connection-lost', connection, reason: error.message }
    : { type: 'refused', connection, error };
}
