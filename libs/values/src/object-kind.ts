/**
 * What an object is to the encoder. Prototypes of this realm are the fast path; anything else is asked by its internal
 * slots, so that objects of another realm (a `vm` context) count as what they are.
 */
import { types } from 'node:util';
import { codecOfPrototype, type Codec } from './codec-registry.js';

export type ObjectKind =
  /**
   * Structured clone copies its own enumerable properties: plain objects, and instances of unregistered classes. Proxies
   * of objects and arrays are not told apart here, which would cost every plain object: structured clone refuses them.
   */
  | 'object'
  | 'array'
  | 'map'
  | 'set'
  | 'error'
  | 'array-buffer'
  | 'shared-array-buffer'
  | 'view'
  /** Date, RegExp, boxed primitives: structured clone takes it whole, nothing inside can need us. */
  | 'whole'
  /** Structured clone refuses it, or would silently lose what it holds. */
  | 'refused';

/** Objects of the platform whose state is out of sight: structured clone would make `{}` of them. */
const PLATFORM_TAGS = new Set([
  ...[
    'AbortController',
    'AbortSignal',
    'Blob',
    'BroadcastChannel',
    'CompressionStream',
    'Crypto',
    'CryptoKey',
  ],
  ...['DecompressionStream', 'Event', 'EventTarget', 'File', 'FormData', 'Headers', 'MessageChannel'],
  ...['MessagePort', 'Performance', 'ReadableStream', 'ReadableStreamDefaultReader', 'Request', 'Response'],
  ...['TextDecoder', 'TextEncoder', 'TransformStream', 'URL', 'URLSearchParams', 'WebSocket'],
  ...['WritableStream', 'WritableStreamDefaultWriter'],
]);

export function kindOf(value: object, prototype: object | null): ObjectKind {
  if (Array.isArray(value)) return 'array';
  if (prototype === Object.prototype || prototype === null) return 'object';
  if (prototype === Date.prototype) return 'whole';
  if (isOrdinary(value)) return 'object';
  if (types.isMap(value)) return 'map';
  if (types.isSet(value)) return 'set';
  if (types.isNativeError(value) || value instanceof Error || tagOf(value) === 'DOMException') return 'error';
  if (ArrayBuffer.isView(value)) return 'view';
  if (types.isArrayBuffer(value)) return 'array-buffer';
  if (types.isSharedArrayBuffer(value)) return 'shared-array-buffer';
  if (types.isDate(value) || types.isRegExp(value)) return 'whole';
  if (types.isBoxedPrimitive(value)) return types.isSymbolObject(value) ? 'refused' : 'whole';
  return isRefused(value) ? 'refused' : 'object';
}

const tagOf = (value: object): unknown => (value as Record<symbol, unknown>)[Symbol.toStringTag];

/** Instances of plain classes, without asking for each kind in turn: all that is built in has a tag. */
function isOrdinary(value: object): boolean {
  return tagOf(value) === undefined && Object.prototype.toString.call(value) === '[object Object]';
}

function isRefused(value: object): boolean {
  if (types.isProxy(value) || types.isPromise(value) || types.isWeakMap(value) || types.isWeakSet(value))
    return true;
  const tag = tagOf(value);
  return typeof tag === 'string' && PLATFORM_TAGS.has(tag);
}

/** The codec of an object; none for plain objects and arrays, which nobody can register. */
export function codecOf(value: object, prototype: object | null): Codec<unknown> | undefined {
  if (prototype === null || prototype === Object.prototype || prototype === Array.prototype) return undefined;
  return codecOfPrototype(prototype);
}
