/**
 * Checks of single fields that arrived. A failed check throws `InvalidArgumentError` whose `details.field` is the path
 * of the field; every level that a message was nested in puts its name in front while the error passes through, so
 * that nothing is paid for paths while all is well.
 */
import { InvalidArgumentError } from '@spillway/kernel';
import { KEY_LENGTH_MAX } from '@spillway/messages';

export function invalid(field: string, problem: string): InvalidArgumentError {
  return new InvalidArgumentError(`${field}: ${problem}.`, { details: { field, problem } });
}

/** The same error, one level further out. Anything but a failed check is passed on as it is. */
export function inside(error: unknown, outer: string): unknown {
  if (!(error instanceof InvalidArgumentError)) return error;
  const { field, problem } = error.details;
  return field === undefined || problem === undefined ? error : invalid(`${outer}.${field}`, problem);
}

/** Maps a list, and says which element was wrong. */
export function each<Wire, Message>(
  list: readonly Wire[],
  field: string,
  map: (wire: Wire) => Message,
): Message[] {
  const mapped: Message[] = [];
  let index = 0;
  try {
    for (const wire of list) {
      mapped.push(map(wire));
      index += 1;
    }
  } catch (error) {
    throw inside(error, `${field}[${index}]`);
  }
  return mapped;
}

/** Maps a message that has to be there. */
export function required<Wire, Message>(
  wire: Wire | null | undefined,
  field: string,
  map: (wire: Wire) => Message,
): Message {
  if (wire === null || wire === undefined) throw invalid(field, 'missing');
  try {
    return map(wire);
  } catch (error) {
    throw inside(error, field);
  }
}

/** Maps a message that may be absent. */
export const optional = <Wire, Message>(
  wire: Wire | null | undefined,
  field: string,
  map: (wire: Wire) => Message,
): Message | undefined => (wire === null || wire === undefined ? undefined : required(wire, field, map));

/** A name: something has to be in it. */
export function text(value: string, field: string, lengthMax = KEY_LENGTH_MAX): string {
  if (value.length === 0) throw invalid(field, 'must not be empty');
  if (value.length > lengthMax) throw invalid(field, `longer than ${lengthMax} characters`);
  return value;
}

/** Words for people: may be empty. */
export function words(value: string, field: string, lengthMax = KEY_LENGTH_MAX): string {
  if (value.length > lengthMax) throw invalid(field, `longer than ${lengthMax} characters`);
  return value;
}

/** Most lists of tasks are empty; one object for all of them saves 32 bytes each. */
const NONE: readonly string[] = Object.freeze([]);

/** A list of names. */
export function texts(list: readonly string[], field: string): readonly string[] {
  if (list.length === 0) return NONE;
  try {
    for (const value of list) text(value, field);
  } catch {
    const index = list.findIndex((value) => value.length === 0 || value.length > KEY_LENGTH_MAX);
    text(list[index] ?? '', `${field}[${index}]`);
  }
  return list;
}

/** A whole number ≥ 0. Decoding rounds what is over 2^53 − 1, so everything over it is refused. */
export function count(value: number, field: string, max = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || value < 0)
    throw invalid(field, 'must be a whole number up to 2^53 - 1');
  if (value > max) throw invalid(field, `must be at most ${max}`);
  return value;
}

export function finite(value: number, field: string): number {
  if (!Number.isFinite(value)) throw invalid(field, 'must be a finite number');
  return value;
}

const PORT_PATTERN = /:(\d{1,5})$/;

/** `host:port`. */
export function address(value: string, field: string): string {
  text(value, field);
  const port = Number(PORT_PATTERN.exec(value)?.[1] ?? Number.NaN);
  if (!(port >= 1 && port <= 65_535) || value.indexOf(':') === 0) throw invalid(field, 'must be host:port');
  return value;
}

const HASH_PATTERN = /^[0-9a-f]{64}$/;

/** A SHA-256 hash. */
export function hash(value: string, field: string): string {
  if (!HASH_PATTERN.test(value)) throw invalid(field, 'must be 64 lower-case hexadecimal digits');
  return value;
}

export function bytes(value: Uint8Array, field: string, bytesMax: number): Uint8Array {
  if (value.length > bytesMax) throw invalid(field, `larger than ${bytesMax} bytes`);
  return value;
}

/** Seconds of google.protobuf.Duration are bounded by its definition to about 10,000 years. */
const DURATION_SECONDS_MAX = 315_576_000_000;

/** Milliseconds of a duration ≥ 0. */
export function durationMs(
  value: { readonly seconds: number; readonly nanos: number } | null | undefined,
  field: string,
): number {
  if (value === null || value === undefined) throw invalid(field, 'missing');
  const { seconds, nanos } = value;
  const isInRange = seconds >= 0 && seconds <= DURATION_SECONDS_MAX && nanos >= 0 && nanos < 1e9;
  if (!isInRange) throw invalid(field, 'must be a duration of 0 to 315,576,000,000 seconds');
  return seconds * 1000 + nanos / 1e6;
}
