/** From a value to bytes: chooses the encoding, and turns every failure into one error that names the field. */
import { assertNever, InvariantError } from '@spillway/kernel';
import type { Encoding, Payload } from '@spillway/messages';
import { encodeBytes } from './byte-values.js';
import { encodeJson } from './json-values.js';
import { explainFailure } from './offender.js';
import type { DependencyIndexOf } from './scan.js';
import { encodeSmall } from './small-values.js';
import { encodeStructured } from './structured-encoding.js';

export interface EncodeOptions {
  /** Default `v8`. */
  readonly encoding?: Encoding;
  /** Put more than `SMALL_VALUE_BYTES` into a `SharedArrayBuffer` of exactly its size, readable by other threads. */
  readonly shared?: boolean;
  /** For a future met anywhere inside the value: its index among the dependencies; undefined for everything else. */
  readonly dependencyIndexOf?: (value: object) => number | undefined;
}

/**
 * Encodes a value, once, into memory of exactly its size. The value is not changed and not kept.
 * Throws `ValueNotEncodableError`, whose message and `details.path` name the field at fault.
 */
export function encodeValue(value: unknown, options: EncodeOptions = {}): Payload {
  const encoding = options.encoding ?? 'v8';
  try {
    return { encoding, data: encode(value, encoding, options.shared === true, options.dependencyIndexOf) };
  } catch (error) {
    if (error instanceof InvariantError) throw error;
    throw explainFailure(value, encoding, options.dependencyIndexOf, error);
  }
}

function encode(
  value: unknown,
  encoding: Encoding,
  shared: boolean,
  dependencyIndexOf: DependencyIndexOf | undefined,
): Uint8Array {
  switch (encoding) {
    case 'v8':
      return (
        encodeSmall(value, shared, dependencyIndexOf) ?? encodeStructured(value, dependencyIndexOf, shared)
      );
    case 'json':
      return encodeJson(value, dependencyIndexOf, shared);
    case 'bytes':
      return encodeBytes(value, true, shared);
    case 'arrow-stream':
      return encodeBytes(value, false, shared);
    default:
      return assertNever(encoding, 'encoding');
  }
}
