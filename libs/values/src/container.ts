/**
 * Layout of a `v8` payload. Two bytes always: magic with version, and the form. Single values and small trees have forms of
 * their own (`small-values.ts`); `bare` is followed by structured clone's bytes; `container` by this prefix, then buffer records,
 * view records, structured clone's bytes, sections. All numbers little-endian.
 *
 * Prefix, 32 bytes: magic u8, form u8, flags u8, 0 u8 · buffer count u32 · view count u32 · 0 u32 · clone size f64 · 0 f64.
 * Record, 24 bytes: type u32 · buffer number + 1, or 0 for the payload, u32 · offset f64 · size f64.
 */
import type { PlacedBuffer, PlacedView } from './sections.js';
import { elementBytesOf } from './view-types.js';

/** First byte: Spillway's value, format version 1. */
export const MAGIC = 0xd5;

/** Second byte. */
export const FORM = {
  undefined: 0,
  null: 1,
  true: 2,
  false: 3,
  number: 4,
  latin1: 5,
  utf16: 6,
  json: 7,
  bare: 8,
  flatBare: 9,
  container: 10,
  flatContainer: 11,
  jsonWithDependencies: 12,
} as const;

export const BARE_PREFIX_BYTES = 2;
const PREFIX_BYTES = 32;
const RECORD_BYTES = 24;
const BUFFER_TYPES = { ordinary: 0, shared: 1 } as const;

export interface ContainerPrefix {
  readonly buffers: readonly PlacedBuffer[];
  readonly views: readonly PlacedView[];
  readonly cloneStartBytes: number;
  readonly cloneEndBytes: number;
}

export function prefixBytesOf(bufferCount: number, viewCount: number): number {
  return PREFIX_BYTES + (bufferCount + viewCount) * RECORD_BYTES;
}

export function writePrefix(
  target: Uint8Array,
  form: number,
  prefix: {
    readonly buffers: readonly PlacedBuffer[];
    readonly views: readonly PlacedView[];
    readonly cloneBytes: number;
  },
): void {
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  view.setUint8(0, MAGIC);
  view.setUint8(1, form);
  view.setUint32(4, prefix.buffers.length, true);
  view.setUint32(8, prefix.views.length, true);
  view.setFloat64(16, prefix.cloneBytes, true);
  let at = PREFIX_BYTES;
  const record = (type: number, holder: number, placed: { offsetBytes: number; sizeBytes: number }): void => {
    view.setUint32(at, type, true);
    view.setUint32(at + 4, holder, true);
    view.setFloat64(at + 8, placed.offsetBytes, true);
    view.setFloat64(at + 16, placed.sizeBytes, true);
    at += RECORD_BYTES;
  };
  for (const placed of prefix.buffers) {
    record(placed.isShared ? BUFFER_TYPES.shared : BUFFER_TYPES.ordinary, 0, placed);
  }
  for (const placed of prefix.views) record(placed.type, (placed.bufferNumber ?? -1) + 1, placed);
}

/** Why bytes are not a container. Inside this library only. */
export class MalformedError extends Error {}

const demand = (condition: boolean, message: string): void => {
  if (!condition) throw new MalformedError(message);
};

/** Reads and checks everything before the sections; `MalformedError` for anything out of bounds. */
export function readPrefix(data: Uint8Array): ContainerPrefix {
  demand(data.byteLength >= PREFIX_BYTES, 'it is cut short');
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const bufferCount = view.getUint32(4, true);
  const viewCount = view.getUint32(8, true);
  const cloneBytes = view.getFloat64(16, true);
  const cloneStartBytes = prefixBytesOf(bufferCount, viewCount);
  demand(cloneStartBytes <= data.byteLength, 'its tables are longer than the bytes');
  demand(isWithin(cloneStartBytes, cloneBytes, data.byteLength), 'its clone part is out of bounds');
  const buffers = readBuffers(view, bufferCount, cloneStartBytes + cloneBytes);
  const viewsAt = PREFIX_BYTES + bufferCount * RECORD_BYTES;
  const views = Array.from({ length: viewCount }, (_, index) =>
    readView(view, viewsAt + index * RECORD_BYTES, buffers),
  );
  return { buffers, views, cloneStartBytes, cloneEndBytes: cloneStartBytes + cloneBytes };
}

/** Buffers are copied out, so none may overlap the one before: all copies together are no larger than the payload. */
function readBuffers(view: DataView, count: number, startBytes: number): PlacedBuffer[] {
  let endBytes = startBytes;
  return Array.from({ length: count }, (_, index) => {
    const { type, offsetBytes, sizeBytes } = readRecord(view, PREFIX_BYTES + index * RECORD_BYTES);
    demand(type === BUFFER_TYPES.ordinary || type === BUFFER_TYPES.shared, 'a buffer has an unknown type');
    demand(isWithin(offsetBytes, sizeBytes, view.byteLength), 'a buffer is out of bounds');
    demand(offsetBytes >= endBytes, 'buffers overlap');
    endBytes = offsetBytes + sizeBytes;
    return { isShared: type === BUFFER_TYPES.shared, offsetBytes, sizeBytes };
  });
}

function readView(view: DataView, at: number, buffers: readonly PlacedBuffer[]): PlacedView {
  const { type, holder, offsetBytes, sizeBytes } = readRecord(view, at);
  const bufferNumber = holder === 0 ? undefined : holder - 1;
  const limitBytes = bufferNumber === undefined ? view.byteLength : buffers[bufferNumber]?.sizeBytes;
  demand(limitBytes !== undefined, 'a view belongs to no buffer');
  demand(isWithin(offsetBytes, sizeBytes, limitBytes!), 'a view is out of bounds');
  const elementBytes = elementBytesOf(type);
  demand(elementBytes !== undefined, `this version of Node does not know the type of a view (${type})`);
  demand(sizeBytes % elementBytes! === 0, 'a view is not a whole number of elements');
  demand(bufferNumber === undefined || offsetBytes % elementBytes! === 0, 'a view is not aligned');
  return { type, bufferNumber, offsetBytes, sizeBytes };
}

const readRecord = (view: DataView, at: number) => ({
  type: view.getUint32(at, true),
  holder: view.getUint32(at + 4, true),
  offsetBytes: view.getFloat64(at + 8, true),
  sizeBytes: view.getFloat64(at + 16, true),
});

const isWithin = (offsetBytes: number, sizeBytes: number, limitBytes: number): boolean =>
  Number.isSafeInteger(offsetBytes) &&
  Number.isSafeInteger(sizeBytes) &&
  offsetBytes >= 0 &&
  sizeBytes >= 0 &&
  offsetBytes + sizeBytes <= limitBytes;
