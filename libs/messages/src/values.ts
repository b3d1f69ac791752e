/**
 * How the bytes of a value are to be read. `v8`: Spillway's own container around structured clone, with typed arrays
 * out of band (`libs/values`). `json`: UTF-8 text. `bytes`: the value is the bytes. `arrow-stream`: Arrow IPC stream.
 */
export type Encoding = 'v8' | 'json' | 'bytes' | 'arrow-stream';
export const ENCODINGS: readonly Encoding[] = ['v8', 'json', 'bytes', 'arrow-stream'];

/** Encoded bytes with their encoding. Immutable by contract; `data` may be a view into a larger (shared) buffer. */
export interface Payload {
  readonly encoding: Encoding;
  readonly data: Uint8Array;
}
