/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
/**
 * What the envelopes of all three control streams have in common, and the six directions. Everything that arrives is
 * decoded and checked here, a whole batch at a time: of a batch with one bad message, nothing is delivered.
 */
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
import { spillway } from '@spillway/proto';
import type { Writer } from '@spillway/proto/runtime';
import { decodeWire } from '../decoding.js';
import { count, durationMs, each, invalid, optional, text, words } from '../from-wire/checks.js';
import { clientHello, clientMessage, schedulerToClient } from '../from-wire/client.js';
import { nannyHello, nannyMessage, schedulerToNanny } from '../from-wire/nanny.js';
import { schedulerToWorkerOf } from '../from-wire/scheduler-to-worker.js';
import { holder } from '../from-wire/values.js';
import { workerHello, workerMessage } from '../from-wire/worker.js';
import type { Welcome } from '../session/events.js';
import { clientHelloToWire, clientMessageToWire, schedulerToClientToWire } from '../to-wire/client.js';
import { nannyHelloToWire, nannyMessageToWire, schedulerToNannyToWire } from '../to-wire/nanny.js';
import { durationFromMs } from '../to-wire/scalars.js';
import { HolderTable, schedulerToWorkerToWire } from '../to-wire/scheduler-to-worker.js';
import { workerHelloToWire, workerMessageToWire } from '../to-wire/worker.js';
import type { WireCodec } from '../service.js';
import type { BatchEncoder } from './batch-writer.js';

const wire = spillway.v1;

/** First words on a connection. */
export interface Opening {
  readonly nonce: string;
  /** Empty at the beginning of a session. */
  readonly epoch: string;
  readonly received: number;
}

/** A batch as it arrived. */
export interface Envelope<Message> {
  readonly seq: number;
  readonly ack: number;
  readonly messages: readonly Message[];
  readonly end: string | undefined;
}

export interface UpEnvelope<Hello, Message> extends Envelope<Message> {
  readonly opening: { readonly session: Opening; readonly hello: Hello } | undefined;
}
export interface DownEnvelope<Message> extends Envelope<Message> {
  readonly welcome: Welcome | undefined;
}

/** From the opener to the scheduler. */
export interface UpCodec<Hello, Message> {
  /** What identifies the session. */
  sessionId(hello: Hello): string;
  version(hello: Hello): { readonly major: number; readonly minor: number };
  encoder(): BatchEncoder<Message>;
  encodeOpening(session: Opening, hello: Hello): Uint8Array;
  encodeEnd(reason: string): Uint8Array;
  decode(bytes: Uint8Array): UpEnvelope<Hello, Message>;
}
/** From the scheduler to the opener. */
export interface DownCodec<Message> {
  encoder(): BatchEncoder<Message>;
  encodeWelcome(welcome: Welcome): Uint8Array;
  encodeEnd(reason: string): Uint8Array;
  decode(bytes: Uint8Array): DownEnvelope<Message>;
}

interface WireEnvelope<WireMessage> {
  seq: number;
  ack: number;
  messages: WireMessage[];
  end?: spillway.v1.SessionEnd | null;
}
interface WireUp<WireHello, WireMessage> extends WireEnvelope<WireMessage> {
  opening?: spillway.v1.SessionOpening | null;
  hello?: WireHello | null;
}
interface WireDown<WireMessage> extends WireEnvelope<WireMessage> {
  welcome?: spillway.v1.SessionWelcome | null;
}

const END_REASON_LENGTH_MAX = 1024;

function envelope<WireMessage, Message>(
  decoded: WireEnvelope<WireMessage>,
  map: (message: WireMessage) => Message,
): Envelope<Message> {
  const seq = count(decoded.seq, 'seq');
  if (seq === 0 && decoded.messages.length > 0) throw invalid('seq', 'missing in a batch with messages');
  return {
    seq,
    ack: count(decoded.ack, 'ack'),
    messages: each(decoded.messages, 'messages', map),
    end: optional(decoded.end, 'end', (end) => words(end.reason, 'reason', END_REASON_LENGTH_MAX)),
  };
}

const opening = (session: spillway.v1.SessionOpening): Opening => ({
  nonce: text(session.nonce, 'nonce'),
  epoch: words(session.epoch, 'epoch'),
  received: count(session.received, 'received'),
});

const welcome = (answer: spillway.v1.SessionWelcome): Welcome => {
  const heartbeatMs = durationMs(answer.heartbeatInterval, 'heartbeat_interval');
  if (heartbeatMs < 1) throw invalid('heartbeat_interval', 'must be at least 1 ms');
  return {
    epoch: text(answer.epoch, 'epoch'),
    resumed: answer.resumed,
    received: count(answer.received, 'received'),
    heartbeatMs,
  };
};

interface UpParts<Hello, Message, WireHello, WireMessage> {
  readonly sessionId: (hello: Hello) => string;
  readonly version: (hello: Hello) => { readonly major: number; readonly minor: number };
  readonly envelope: WireCodec<WireUp<WireHello, WireMessage>>;
  readonly message: { encode(message: WireMessage, writer: Writer): Writer };
  readonly helloToWire: (hello: Hello) => WireHello;
  readonly helloFromWire: (hello: WireHello) => Hello;
  readonly toWire: (message: Message) => WireMessage;
  readonly fromWire: (message: WireMessage) => Message;
}

function upCodec<Hello, Message, WireHello, WireMessage>(
  parts: UpParts<Hello, Message, WireHello, WireMessage>,
): UpCodec<Hello, Message> {
  const encoder: BatchEncoder<Message> = {
    write: (message, writer) => void parts.message.encode(parts.toWire(message), writer),
  };
  const empty = { seq: 0, ack: 0, messages: [] };
  return {
    sessionId: parts.sessionId,
    version: parts.version,
    encoder: () => encoder,
    encodeOpening: (session, hello) =>
      parts.envelope.encode({ ...empty, opening: session, hello: parts.helloToWire(hello) }).finish(),
    encodeEnd: (reason) => parts.envelope.encode({ ...empty, end: { reason } }).finish(),
    decode: (bytes) => {
      const decoded = decodeWire(parts.envelope, bytes);
      const session = optional(decoded.opening, 'opening', opening);
      const hello = optional(decoded.hello, 'hello', parts.helloFromWire);
      if ((session === undefined) !== (hello === undefined)) throw invalid('hello', 'must come with opening');
      return {
        ...envelope(decoded, parts.fromWire),
        opening: session === undefined || hello === undefined ? undefined : { session, hello },
      };
    },
  };
}

interface DownParts<Message, WireMessage, Decoded extends WireDown<WireMessage>> {
  readonly envelope: {
    encode(message: WireDown<WireMessage>): { finish(): Uint8Array };
    decode(bytes: Uint8Array): Decoded;
  };
  readonly encoder: () => BatchEncoder<Message>;
  readonly fromWire: (batch: Decoded) => (message: WireMessage) => Message;
}

function downCodec<Message, WireMessage, Decoded extends WireDown<WireMessage>>(
  parts: DownParts<Message, WireMessage, Decoded>,
): DownCodec<Message> {
  const empty = { seq: 0, ack: 0, messages: [] };
  return {
    encoder: parts.encoder,
    encodeWelcome: ({ epoch, resumed, received, heartbeatMs }) =>
      parts.envelope
        .encode({
          ...empty,
          welcome: { epoch, resumed, received, heartbeatInterval: durationFromMs(heartbeatMs) },
        })
        .finish(),
    encodeEnd: (reason) => parts.envelope.encode({ ...empty, end: { reason } }).finish(),
    decode: (bytes) => {
      const decoded = decodeWire(parts.envelope, bytes);
      return {
        ...envelope(decoded, parts.fromWire(decoded)),
        welcome: optional(decoded.welcome, 'welcome', welcome),
      };
    },
  };
}

export const clientUp: UpCodec<ClientHello, ClientToScheduler> = upCodec({
  sessionId: (hello: ClientHello) => hello.clientId,
  version: (hello: ClientHello) => hello.protocol,
  envelope: wire.OpenClientRequest,
  message: wire.ClientMessage,
  helloToWire: clientHelloToWire,
  helloFromWire: clientHello,
  toWire: clientMessageToWire,
  fromWire: clientMessage,
});
export const workerUp: UpCodec<WorkerHello, WorkerToScheduler> = upCodec({
  sessionId: (hello: WorkerHello) => hello.workerId,
  version: (hello: WorkerHello) => hello.protocol,
  envelope: wire.OpenWorkerRequest,
  message: wire.WorkerMessage,
  helloToWire: workerHelloToWire,
  helloFromWire: workerHello,
  toWire: workerMessageToWire,
  fromWire: workerMessage,
});
export const nannyUp: UpCodec<NannyHello, NannyToScheduler> = upCodec({
  sessionId: (hello: NannyHello) => hello.nannyId,
  version: (hello: NannyHello) => hello.protocol,
  envelope: wire.OpenNannyRequest,
  message: wire.NannyMessage,
  helloToWire: nannyHelloToWire,
  helloFromWire: nannyHello,
  toWire: nannyMessageToWire,
  fromWire: nannyMessage,
});

const toClientEncoder: BatchEncoder<SchedulerToClient> = {
  write: (message, writer) =>
    void wire.SchedulerToClientMessage.encode(schedulerToClientToWire(message), writer),
};
export const clientDown: DownCodec<SchedulerToClient> = downCodec({
  envelope: wire.OpenClientResponse,
  encoder: () => toClientEncoder,
  fromWire: () => schedulerToClient,
});

const HOLDERS_TAG = (7 << 3) | 2;
export const workerDown: DownCodec<SchedulerToWorker> = downCodec({
  envelope: {
    encode: (batch: WireDown<spillway.v1.SchedulerToWorkerMessage>) =>
      wire.OpenWorkerResponse.encode({ ...batch, holders: [] }),
    decode: (bytes: Uint8Array): spillway.v1.OpenWorkerResponse => wire.OpenWorkerResponse.decode(bytes),
  },
  encoder: () => {
    const table = new HolderTable();
    return {
      write: (message, writer) =>
        void wire.SchedulerToWorkerMessage.encode(schedulerToWorkerToWire(message, table), writer),
      finish: (writer) => {
        for (const entry of table.holders)
          wire.Holder.encode(entry, writer.uint32(HOLDERS_TAG).fork()).ldelim();
      },
    };
  },
  fromWire: (batch) => schedulerToWorkerOf(each(batch.holders, 'holders', holder)),
});

const toNannyEncoder: BatchEncoder<SchedulerToNanny> = {
  write: (message, writer) =>
    void wire.SchedulerToNannyMessage.encode(schedulerToNannyToWire(message), writer),
};
export const nannyDown: DownCodec<SchedulerToNanny> = downCodec({
  envelope: wire.OpenNannyResponse,
  encoder: () => toNannyEncoder,
  fromWire: () => schedulerToNanny,
});
