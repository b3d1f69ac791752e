/**
 * What things take in the heap of V8: Node 20, 64 bit, no pointer compression. Measured as differences of `heapUsed` over
 * thousands of copies; where a native value and a decoded one differ (an array of doubles: 8 and 24 bytes an element),
 * the number lies between, within a factor of two of both.
 */

/** One reference, or one small integer. */
export const SLOT_BYTES = 8;
export const HEAP_NUMBER_BYTES = 16;
/** Of an array's element where all are numbers: 8 in an array that was built, 24 in one that was decoded. */
export const DOUBLE_ELEMENT_BYTES = 14;
/** Header, and what V8 leaves free for further properties. */
export const OBJECT_BYTES = 32;
export const ARRAY_BYTES = 48;
/** Of each element of an array of holes, or of an object with numbers for keys. */
export const SPARSE_ELEMENT_BYTES = 48;
/** Of each property of an object used as a dictionary, beside its slot and the text of its key. */
export const DICTIONARY_ENTRY_BYTES = 40;
/** Properties above which the names count: in smaller objects many share one table of them. */
export const SHARED_NAMES_COUNT_MAX = 16;
export const DATE_BYTES = 112;
export const REGEXP_BYTES = 200;
/** With its stack, before or after that is written out. */
export const ERROR_BYTES = 600;
export const FUNCTION_BYTES = 64;
/** Objects whose inside is out of sight: promises, proxies, objects of the platform. */
export const OPAQUE_BYTES = 256;
/** A view and its buffer as objects, beside the bytes. */
export const VIEW_BYTES = 184;

const MAP_BYTES = 72;
const MAP_ENTRY_BYTES = 28;
const SET_ENTRY_BYTES = 20;
const TABLE_CAPACITY_MIN = 4;

/** Of the table of a `Map`, without keys and values. */
export const mapBytes = (size: number): number => MAP_BYTES + capacityFor(size) * MAP_ENTRY_BYTES;
export const setBytes = (size: number): number => MAP_BYTES + capacityFor(size) * SET_ENTRY_BYTES;

/** Tables grow by doubling. */
const capacityFor = (size: number): number =>
  Math.max(TABLE_CAPACITY_MIN, 2 ** Math.ceil(Math.log2(Math.max(size, 1))));
