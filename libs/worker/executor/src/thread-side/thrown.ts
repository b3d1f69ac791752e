/**
 * Turns whatever user code threw into data: an Error, a string, `undefined`, a frozen object, an object whose getters
 * throw. Never throws itself, and bounds everything it makes.
 */
import { inspect, types } from 'node:util';
import { type Payload, type RemoteError, THROWN_VALUE_BYTES_MAX } from '@spillway/messages';
import { encodeValue } from '@spillway/values';
import { boundedText } from '../error-text.js';

/** What is readable of a thrown value. */
export interface ThrownText {
  /** `TypeError: x is not a function`, or the value itself as `util.inspect` shows it. */
  readonly summary: string;
  readonly stack: string | undefined;
}

export function describeThrown(thrown: unknown): ThrownText {
  if (!isErrorLike(thrown)) return { summary: boundedText(inspectSafely(thrown)), stack: undefined };
  const name = readText(thrown, 'name') ?? 'Error';
  const message = readText(thrown, 'message') ?? '';
  const stack = readText(thrown, 'stack');
  return {
    summary: boundedText(message === '' ? name : `${name}: ${message}`),
    stack: stack === undefined ? undefined : boundedText(stack),
  };
}

/** The `TASK_FAILED` of something thrown. `what`: the sentence's beginning, e.g. "Task x (sum) failed". */
export function thrownToRemoteError(
  thrown: unknown,
  what: string,
  details: RemoteError['details'],
): RemoteError {
  const { summary, stack } = describeThrown(thrown);
  const payload = encodeThrown(thrown);
  return {
    code: 'TASK_FAILED',
    message: boundedText(`${what}: ${summary}`),
    ...(stack === undefined ? {} : { stack }),
    details,
    ...(payload === undefined ? {} : { thrown: payload }),
  };
}

/** The thrown value encoded; of an Error that does not encode whole, its name, message, stack and code alone. */
function encodeThrown(thrown: unknown): Payload | undefined {
  return tryEncode(() => thrown) ?? (isErrorLike(thrown) ? tryEncode(() => plainError(thrown)) : undefined);
}

function tryEncode(value: () => unknown): Payload | undefined {
  try {
    const { encoding, data } = encodeValue(value());
    if (data.byteLength > THROWN_VALUE_BYTES_MAX) return undefined;
    // A buffer of exactly its size: what is posted must not drag a pool along.
    return { encoding, data: new Uint8Array(data) };
  } catch {
    return undefined;
  }
}

function plainError(original: object): Error {
  const plain = new Error(boundedText(readText(original, 'message') ?? ''));
  for (const field of ['name', 'stack', 'code']) {
    const text = readText(original, field);
    if (text !== undefined) {
      Object.defineProperty(plain, field, { value: boundedText(text), configurable: true, writable: true });
    }
  }
  return plain;
}

/** Errors of any realm, and objects that look like one. Proxies are asked nothing: their traps are user code. */
function isErrorLike(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return false;
  return types.isNativeError(value) || (readText(value, 'message') !== undefined && 'stack' in value);
}

function readText(value: object, field: string): string | undefined {
  try {
    const text: unknown = Reflect.get(value, field);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}

function inspectSafely(value: unknown): string {
  try {
    return typeof value === 'string' ? value : inspect(value, { depth: 2, breakLength: 120 });
  } catch {
    return 'a value that cannot be shown';
  }
}
