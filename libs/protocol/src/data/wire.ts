/**
 * The methods of the data plane as grpc-js wants them: typed for the two ends, raw for the relay between them.
 */
import type { MethodDefinition } from '@grpc/grpc-js';
import { spillway } from '@spillway/proto';
import { method, type WireCodec } from '../service.js';

const wire = spillway.v1;
export type FetchValuesRequest = spillway.v1.FetchValuesRequest;
export type FetchValuesResponse = spillway.v1.FetchValuesResponse;
export type FetchStep = spillway.v1.FetchStep.$Shape;
export type ValueStart = spillway.v1.ValueStart.$Properties;
export type PutValueRequest = spillway.v1.PutValueRequest.$Shape;
export type PutValueResponse = spillway.v1.PutValueResponse;
export type RelayFetchRequest = spillway.v1.RelayFetchRequest;
export type RelayPutRequest = spillway.v1.RelayPutRequest.$Shape;

/** A message that is handed on as it came. */
const RAW: WireCodec<Uint8Array> = { encode: (bytes) => ({ finish: () => bytes }), decode: (bytes) => bytes };

// A message may be built of plain properties; a missing field is its zero value, as everywhere in proto3.
const fetchResponse: WireCodec<FetchStep[]> = {
  encode: (steps) => wire.FetchValuesResponse.encode(wire.FetchValuesResponse.create({ steps })),
  decode: (bytes) => wire.FetchValuesResponse.decode(bytes).steps as FetchStep[],
};
const putRequest: WireCodec<PutValueRequest> = {
  encode: (step) => wire.PutValueRequest.encode(wire.PutValueRequest.create(step)),
  decode: (bytes) => wire.PutValueRequest.decode(bytes),
};
const relayPutRequest: WireCodec<RelayPutRequest> = {
  encode: (step) => wire.RelayPutRequest.encode(wire.RelayPutRequest.create(step)),
  decode: (bytes) => wire.RelayPutRequest.decode(bytes),
};

const { fetchValues, putValue } = wire.DataService.prototype;
const { relayFetch, relayPut } = wire.RelayService.prototype;

/** What a worker serves. */
export const DATA_SERVICE = {
  fetchValues: method(fetchValues, wire.FetchValuesRequest, fetchResponse),
  putValue: method(putValue, putRequest, wire.PutValueResponse),
};
/** What the scheduler serves: the bulk side stays bytes. */
export const RELAY_SERVICE = {
  relayFetch: method(relayFetch, wire.RelayFetchRequest, RAW),
  relayPut: method(relayPut, RAW, RAW),
};
/** What the relay says to a worker. */
export const RAW_DATA_SERVICE = {
  fetchValues: method(fetchValues, wire.FetchValuesRequest, RAW),
  putValue: method(putValue, RAW, RAW),
};
/** What a client says to the relay. */
export const RELAYED_DATA_SERVICE = {
  fetchValues: method(relayFetch, wire.RelayFetchRequest, fetchResponse),
  putValue: method(relayPut, relayPutRequest, wire.PutValueResponse),
};

export type FetchMethod<Request> = MethodDefinition<Request, FetchStep[]>;
export type PutMethod<Request> = MethodDefinition<Request, PutValueResponse>;

/** Name of the service, as the health service knows it. */
export const DATA_SERVICE_NAME = 'spillway.v1.DataService';

/** The worker that the first message of a relayed upload names; `''` for none. Throws when the bytes are no message. */
export const relayedWorkerId = (firstMessage: Uint8Array): string =>
  wire.RelayPutRequest.decode(firstMessage).workerId;
