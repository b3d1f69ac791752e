/** From bytes to a value. The bytes may come from anywhere: whatever is wrong with them is one error. */
import { SpillwayError, ValueNotDecodableError } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import { FORM, MAGIC, MalformedError, BARE_PREFIX_BYTES } from './container.js';
import { decodeJson } from './json-values.js';
import { asBuffer } from './memory.js';
import { decodeSmall } from './small-values.js';
import { decodeBare, decodeContainer } from './structured-decoding.js';

export interface DecodeOptions {
  /** Results to put where futures were, by index. Without it `json` leaves placeholders as the data they are. */
  readonly dependencies?: readonly unknown[];
}

/**
 * Decodes a value. Typed arrays, `DataView`s and `Buffer`s are views into `payload.data`, not copies: they must not be
 * written to, and keep it alive. `bytes` gives a `Buffer`, `arrow-stream` the bytes themselves.
 * Throws `ValueNotDecodableError`.
 */
export function decodeValue(payload: Payload, options: DecodeOptions = {}): unknown {
  try {
    return decode(payload, options);
  } catch (error) {
    if (error instanceof SpillwayError) throw error;
    throw notDecodable(payload, error);
  }
}

function decode({ encoding, data }: Payload, { dependencies }: DecodeOptions): unknown {
  switch (encoding) {
    case 'v8':
      return decodeV8(data, dependencies ?? []);
    case 'json':
      return decodeJson(data, dependencies);
    case 'bytes':
      return asBuffer(data);
    case 'arrow-stream':
      return data;
    default:
      throw new MalformedError(`the encoding '${String(encoding)}' is unknown to this version`);
  }
}

function decodeV8(data: Uint8Array, dependencies: readonly unknown[]): unknown {
  if (data[0] !== MAGIC) throw new MalformedError('it does not start as a value of Spillway does');
  switch (data[1]) {
    case FORM.bare:
    case FORM.flatBare:
      return decodeBare(data.subarray(BARE_PREFIX_BYTES), data[1] === FORM.flatBare, dependencies);
    case FORM.container:
    case FORM.flatContainer:
      return decodeContainer(data, data[1] === FORM.flatContainer, dependencies);
    default:
      return decodeSmall(data, dependencies);
  }
}

function notDecodable({ encoding, data }: Payload, cause: unknown): ValueNotDecodableError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ValueNotDecodableError(
    `${data.byteLength} bytes are not a value in encoding '${encoding}': ${reason}. ` +
      'They were damaged, or written by a newer version',
    { details: { encoding, bytes: String(data.byteLength) }, cause },
  );
}
