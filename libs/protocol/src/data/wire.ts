/**
 * The methods of the data plane as grpc-js wants them, and its messages as bytes. Bulk is read typed and written raw:
 * whoever sends chunks encodes them itself (`chunk-encoder.ts`). Whoever serves gets raw messages and decodes them
 * itself, so that a malformed one is the sender's mistake and not ours; the relay hands them on as they come.
 */
import type { MethodDefinition } from '@grpc/grpc-js';
import { spillway } from '@spillway/proto';
import { decodeWire } from '../decoding.js';
import { method, rawMethod, type WireCodec } from '../service.js';

const wire = spillway.v1;
export type FetchStep = spillway.v1.FetchStep.$Shape;
export type ValueStart = spillway.v1.ValueStart.$Properties;
export type PutValueRequest = spillway.v1.PutValueRequest.$Shape;
export type PutValueResponse = spillway.v1.PutValueResponse;

const bytesOf = <T>(codec: WireCodec<T>, message: T): Buffer => {
  const bytes = codec.encode(message).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
};

export const encodeFetchRequest = (keys: string[]): Buffer =>
  bytesOf(wire.FetchValuesRequest, wire.FetchValuesRequest.create({ keys }));
export const encodeRelayFetchRequest = (workerId: string, keys: string[]): Buffer =>
  bytesOf(wire.RelayFetchRequest, wire.RelayFetchRequest.create({ workerId, keys }));
export const encodeSteps = (steps: FetchStep[]): Buffer =>
  bytesOf(wire.FetchValuesResponse, wire.FetchValuesResponse.create({ steps }));
/** The first message of an upload; to the relay it also names the worker. */
export const encodePutStart = (start: ValueStart, workerId = ''): Buffer =>
  bytesOf(wire.RelayPutRequest, wire.RelayPutRequest.create({ step: 'start', start, workerId }));
export const encodePutResponse = (sizeBytes: number): Buffer =>
  bytesOf(wire.PutValueResponse, wire.PutValueResponse.create({ sizeBytes }));

/** These throw `InvalidArgumentError` for bytes that are no such message. */
export const decodeFetchRequest = (bytes: Buffer): { keys: string[] } =>
  decodeWire(wire.FetchValuesRequest, bytes);
export const decodeRelayFetchRequest = (bytes: Buffer): { workerId: string; keys: string[] } =>
  decodeWire(wire.RelayFetchRequest, bytes);
export const decodeSteps = (bytes: Uint8Array): FetchStep[] =>
  decodeWire(wire.FetchValuesResponse, bytes).steps;
export const decodePutRequest = (bytes: Buffer): PutValueRequest => decodeWire(wire.PutValueRequest, bytes);
/** The worker that the first message of a relayed upload names; `''` for none. */
export const relayedWorkerId = (firstMessage: Buffer): string =>
  decodeWire(wire.RelayPutRequest, firstMessage).workerId;

const raw: WireCodec<Buffer> = {
  encode: (bytes) => ({ finish: () => bytes }),
  decode: (bytes) => bytes as Buffer,
};
const steps: WireCodec<FetchStep[]> = {
  encode: (message) => ({ finish: () => encodeSteps(message) }),
  decode: decodeSteps,
};

const { fetchValues, putValue } = wire.DataService.prototype;
const { relayFetch, relayPut } = wire.RelayService.prototype;

/** What a worker serves, and what the relay asks of it. */
export const RAW_DATA_SERVICE = { fetchValues: rawMethod(fetchValues), putValue: rawMethod(putValue) };
/** What the scheduler serves. */
export const RAW_RELAY_SERVICE = { relayFetch: rawMethod(relayFetch), relayPut: rawMethod(relayPut) };
/** What a worker is asked. */
export const DATA_SERVICE: DataMethods = {
  fetchValues: method(fetchValues, raw, steps),
  putValue: method(putValue, raw, wire.PutValueResponse),
};
/** What the scheduler is asked, for the same. */
export const RELAYED_DATA_SERVICE: DataMethods = {
  fetchValues: method(relayFetch, raw, steps),
  putValue: method(relayPut, raw, wire.PutValueResponse),
};

export interface DataMethods {
  readonly fetchValues: MethodDefinition<Buffer, FetchStep[]>;
  readonly putValue: MethodDefinition<Buffer, PutValueResponse>;
}

/** Names of services, as the health service knows them. */
export const DATA_SERVICE_NAME = 'spillway.v1.DataService';
