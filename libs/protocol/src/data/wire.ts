/**
 * The methods of the data plane as grpc-js wants them. Bulk is read typed and written raw: whoever sends chunks encodes
 * them itself (`chunk-encoder.ts`), and the relay hands on what it gets.
 */
import type { MethodDefinition } from '@grpc/grpc-js';
import { spillway } from '@spillway/proto';
import { method, type WireCodec } from '../service.js';

const wire = spillway.v1;
export type FetchValuesRequest = spillway.v1.FetchValuesRequest;
export type FetchStep = spillway.v1.FetchStep.$Shape;
export type ValueStart = spillway.v1.ValueStart.$Properties;
export type PutValueRequest = spillway.v1.PutValueRequest.$Shape;
export type PutValueResponse = spillway.v1.PutValueResponse;
export type RelayFetchRequest = spillway.v1.RelayFetchRequest;

const RAW: WireCodec<Uint8Array> = { encode: (bytes) => ({ finish: () => bytes }), decode: (bytes) => bytes };

export const encodeSteps = (steps: FetchStep[]): Uint8Array =>
  wire.FetchValuesResponse.encode(wire.FetchValuesResponse.create({ steps })).finish();
export const decodeSteps = (bytes: Uint8Array): FetchStep[] =>
  wire.FetchValuesResponse.decode(bytes).steps as FetchStep[];
/** The first message of an upload; to the relay it also names the worker. */
export const encodePutStart = (start: ValueStart, workerId = ''): Uint8Array =>
  wire.RelayPutRequest.encode(wire.RelayPutRequest.create({ step: 'start', start, workerId })).finish();
/** The worker that the first message of a relayed upload names; `''` for none. Throws when the bytes are no message. */
export const relayedWorkerId = (firstMessage: Uint8Array): string =>
  wire.RelayPutRequest.decode(firstMessage).workerId;

const steps: WireCodec<FetchStep[]> = {
  encode: (message) => ({ finish: () => encodeSteps(message) }),
  decode: decodeSteps,
};
const putRequest: WireCodec<PutValueRequest> = {
  encode: (message) => wire.PutValueRequest.encode(wire.PutValueRequest.create(message)),
  decode: (bytes) => wire.PutValueRequest.decode(bytes),
};

const { fetchValues, putValue } = wire.DataService.prototype;
const { relayFetch, relayPut } = wire.RelayService.prototype;

/** What a worker serves. */
export const SERVED_DATA_SERVICE = {
  fetchValues: method(fetchValues, wire.FetchValuesRequest, RAW),
  putValue: method(putValue, putRequest, wire.PutValueResponse),
};
/** What a worker is asked. */
export const DATA_SERVICE = {
  fetchValues: method(fetchValues, wire.FetchValuesRequest, steps),
  putValue: method(putValue, RAW, wire.PutValueResponse),
};
/** What the scheduler serves. */
export const SERVED_RELAY_SERVICE = {
  relayFetch: method(relayFetch, wire.RelayFetchRequest, RAW),
  relayPut: method(relayPut, RAW, RAW),
};
/** What the scheduler asks a worker for a client. */
export const HANDED_ON_DATA_SERVICE = {
  fetchValues: method(fetchValues, wire.FetchValuesRequest, RAW),
  putValue: method(putValue, RAW, RAW),
};
/** What a client asks the scheduler: `DATA_SERVICE`, relayed. */
export const RELAYED_DATA_SERVICE = {
  fetchValues: method(relayFetch, wire.RelayFetchRequest, steps),
  putValue: method(relayPut, RAW, wire.PutValueResponse),
};

export type FetchMethod<Request> = MethodDefinition<Request, FetchStep[]>;
export type PutMethod = MethodDefinition<Uint8Array, PutValueResponse>;

/** Name of the service, as the health service knows it. */
export const DATA_SERVICE_NAME = 'spillway.v1.DataService';
