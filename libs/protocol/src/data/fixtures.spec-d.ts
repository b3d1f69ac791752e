/** What the specs of the data plane share: a source in memory, peers that misbehave, and ways to wait without sleeping. */
import { setImmediate } from 'node:timers/promises';
import {
  Client,
  type ClientReadableStream,
  credentials,
  Server,
  ServerCredentials,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { asTaskKey, SeededRandom, type TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import type { ArrivedValue, GatherOutcome } from '@spillway/ports';
import { DataClient } from './data-client.js';
import { DataServer, type DataServerOptions } from './data-server.js';
import type { PeerChannelsOptions } from './peer-channels.js';
import type { DataSource, ServedValue } from './served-value.js';
import { DATA_SERVICE, encodeFetchRequest, encodeSteps, type FetchStep, RAW_DATA_SERVICE } from './wire.js';

export const key = asTaskKey;
export const MiB = 1024 * 1024;

/** Prime, so that no chunk repeats at its own size and one in a wrong place is noticed. */
const PERIOD_BYTES = 65_521;

/** Bytes that differ from place to place. */
export function patterned(sizeBytes: number, seed = 1): Uint8Array {
  const data = new Uint8Array(new SharedArrayBuffer(sizeBytes));
  const random = new SeededRandom(seed);
  const head = data.subarray(0, PERIOD_BYTES);
  for (let at = 0; at < head.length; at += 1) head[at] = random.below(256);
  for (let at = PERIOD_BYTES; at < sizeBytes; at += PERIOD_BYTES) {
    data.set(head.subarray(0, Math.min(PERIOD_BYTES, sizeBytes - at)), at);
  }
  return data;
}

export const bytesPayload = (data: Uint8Array): Payload => ({ encoding: 'bytes', data });

export class MemorySource implements DataSource {
  /** Keys that were asked for, in order. */
  readonly asked: TaskKey[] = [];
  readonly held = new Map<TaskKey, Payload>();
  /** Values that are not given whole, but in the parts that this makes. */
  readonly streamed = new Map<TaskKey, (payload: Payload) => AsyncIterable<Uint8Array>>();
  /** Keys of streamed values that are done with. */
  readonly released: TaskKey[] = [];
  /** Called before a value is given; what it returns is waited for. */
  onServe: (key: TaskKey) => unknown = () => undefined;
  onAccept: (value: ArrivedValue) => unknown = () => undefined;

  constructor(values: Readonly<Record<string, Uint8Array>> = {}) {
    for (const [name, data] of Object.entries(values)) this.held.set(key(name), bytesPayload(data));
  }

  async serve(wanted: TaskKey): Promise<ServedValue | undefined> {
    this.asked.push(wanted);
    await this.onServe(wanted);
    const payload = this.held.get(wanted);
    const chunksOf = this.streamed.get(wanted);
    if (payload === undefined || chunksOf === undefined) return payload;
    const { encoding, data } = payload;
    const release = (): unknown => this.released.push(wanted);
    return { encoding, sizeBytes: data.byteLength, chunks: chunksOf(payload), release };
  }

  async accept(value: ArrivedValue): Promise<void> {
    await this.onAccept(value);
    this.held.set(value.key, value.payload);
  }
}

/** Something that is held still until it is opened. */
export class Door {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

/** Returns once the condition holds; the test's own timeout bounds it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}

/** What a spec opens, closed after each test, the last first. Call once, at the top of the file. */
export function dataRig(): {
  readonly open: { close(): unknown }[];
  readonly serve: (source: DataSource, options?: Partial<DataServerOptions>) => Promise<DataServer>;
  readonly connect: (options?: PeerChannelsOptions) => DataClient;
} {
  const open: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const thing of open.splice(0).reverse()) await thing.close();
  });
  return {
    open,
    serve: async (source, options = {}) => {
      const fixed = { address: '127.0.0.1:0', source, servingMax: () => 10, closeGraceMs: 100 };
      const server = await DataServer.listen({ ...fixed, ...options });
      open.push(server);
      return server;
    },
    connect: (options = {}) => {
      const client = new DataClient(options);
      open.push(client);
      return client;
    },
  };
}

/** A data service that answers a fetch in any way a test wants. */
export async function serveFetchWith(
  answer: (call: ServerWritableStream<Buffer, Buffer>) => void,
): Promise<{ address: string; server: Server }> {
  const server = new Server();
  server.addService(RAW_DATA_SERVICE, { fetchValues: answer });
  return { server, address: await listen(server) };
}

/** Fetches with a window of 8 MiB, and reads nothing more after the first message. */
export function readerThatStops(
  address: string,
  names: string[],
  open: { close(): unknown }[],
): ClientReadableStream<FetchStep[]> {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc-node.flow_control_window': 8 * MiB,
  });
  open.push(client);
  const { path, requestSerialize, responseDeserialize } = DATA_SERVICE.fetchValues;
  const request = encodeFetchRequest(names);
  const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
  return call.on('error', () => undefined).once('data', () => call.pause());
}

export const messageOf = (...steps: FetchStep[]): Buffer => encodeSteps(steps);

export function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error);
      else resolve(`127.0.0.1:${port}`);
    });
  });
}

/** The outcome, when it is of this type; fails the test when it is another. */
export function expectType<Type extends GatherOutcome['type']>(
  outcome: GatherOutcome,
  type: Type,
): Extract<GatherOutcome, { type: Type }> {
  if (outcome.type === type) return outcome as Extract<GatherOutcome, { type: Type }>;
  throw new Error(`Expected ${type}, but the gather ended in ${outcome.type}`);
}
