/**
 * The kinds of views on bytes that travel (typed arrays, `DataView`, `Buffer`), each with its number on the wire.
 * Subclasses travel as the built-in kind they extend.
 */
import { Buffer } from 'node:buffer';
import { types } from 'node:util';

type Construct = new (buffer: ArrayBufferLike, offsetBytes: number, count: number) => ArrayBufferView;
interface ViewType {
  readonly name: string;
  readonly elementBytes: number;
  /** Absent where this version of Node does not know the kind. */
  readonly construct: Construct | undefined;
}

/** Order matters: the position is the number on the wire. Append only. */
const NAMES = [
  'Buffer',
  'DataView',
  'Uint8Array',
  'Int8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float16Array',
] as const;

const VIEW_TYPES: readonly ViewType[] = NAMES.map(describe);
const NUMBER_OF = new Map<string, number>(NAMES.map((name, index) => [name, index]));

function describe(name: string): ViewType {
  if (name === 'Buffer') return { name, elementBytes: 1, construct: Uint8Array };
  const construct = (globalThis as Record<string, unknown>)[name] as Construct | undefined;
  const elementBytes = (construct as { BYTES_PER_ELEMENT?: number } | undefined)?.BYTES_PER_ELEMENT ?? 1;
  return { name, elementBytes, construct };
}

// The name a typed array has by its internal slots, whatever subclass, realm or own property it has.
const typedArrayTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
) as PropertyDescriptor;

function nameOf(view: ArrayBufferView): string {
  if (Buffer.isBuffer(view)) return 'Buffer';
  return types.isDataView(view) ? 'DataView' : String(typedArrayTag.get?.call(view));
}

/** The wire number of a view's kind; undefined for a kind this version does not know. */
export function viewTypeOf(view: ArrayBufferView): number | undefined {
  return NUMBER_OF.get(nameOf(view));
}

/** Bytes of one element, which a view of this kind must be aligned to; undefined for an unknown kind. */
export function elementBytesOf(type: number): number | undefined {
  const known = VIEW_TYPES[type];
  return known?.construct === undefined ? undefined : known.elementBytes;
}

/** A view of a known kind. Requires: within the buffer, aligned, a whole number of elements. */
export function makeView(
  type: number,
  buffer: ArrayBufferLike,
  offsetBytes: number,
  sizeBytes: number,
): ArrayBufferView {
  const { name, elementBytes, construct } = VIEW_TYPES[type]!;
  if (name === 'Buffer') return Buffer.from(buffer, offsetBytes, sizeBytes);
  return new construct!(buffer, offsetBytes, sizeBytes / elementBytes);
}

/** A copy of a view in ordinary memory, of the same kind. */
export function copyOfView<T extends ArrayBufferView>(view: T): T {
  const copy = new Uint8Array(view.byteLength);
  copy.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  // An unknown kind cannot be: every view that this process can make is in the list of this Node's kinds.
  const type = viewTypeOf(view) ?? NUMBER_OF.get('Uint8Array')!;
  return makeView(type, copy.buffer, 0, copy.byteLength) as unknown as T;
}
