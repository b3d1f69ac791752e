/** Names that mean the same in every Node.js program, so that a function may use them wherever it runs. */

const LANGUAGE =
  'AggregateError Array ArrayBuffer Atomics BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError ' +
  'FinalizationRegistry Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array Intl Iterator JSON Map ' +
  'Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set SharedArrayBuffer String Symbol ' +
  'SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet ' +
  'WebAssembly decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval globalThis isFinite isNaN ' +
  'parseFloat parseInt undefined unescape';

const NODE =
  'AbortController AbortSignal Blob BroadcastChannel Buffer ByteLengthQueuingStrategy CompressionStream ' +
  'CountQueuingStrategy Crypto CryptoKey CustomEvent DOMException DecompressionStream Event EventTarget File FormData ' +
  'Headers MessageChannel MessageEvent MessagePort Performance PerformanceEntry PerformanceMark PerformanceMeasure ' +
  'PerformanceObserver ReadableStream Request Response SubtleCrypto TextDecoder TextDecoderStream TextEncoder ' +
  'TextEncoderStream TransformStream URL URLSearchParams WritableStream atob btoa clearImmediate clearInterval ' +
  'clearTimeout console crypto fetch global performance process queueMicrotask setImmediate setInterval setTimeout ' +
  'structuredClone';

/** Given to every CommonJS module; here it finds built-ins and the packages installed on the worker. */
const MODULE = 'require';

export const NODE_GLOBALS: ReadonlySet<string> = new Set(`${LANGUAGE} ${NODE} ${MODULE}`.split(' '));
