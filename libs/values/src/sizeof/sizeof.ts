/** Prices values in memory. The sizes of encoded values need no pricing: they are known. */
import { isObject } from './object-bytes.js';
import { primitiveBytes } from './primitive-bytes.js';
import { publishFunction } from './sizeof-registry.js';
import { SizeWalk } from './size-walk.js';
import { SLOT_BYTES } from './v8-layout.js';

/**
 * How many bytes of memory a value takes, with everything it holds: exact for binary data, else an estimate that is
 * mostly within a factor of two. Big containers are sampled, always in the same places, so that it takes about as long for
 * ten million items as for a thousand. Objects that are met twice count once; a view counts the whole of its buffer.
 * Never throws. For classes it cannot see into there is `registerSizeof`.
 */
export function sizeof(value: unknown): number {
  return sizeofWithout(value, undefined);
}

/** `sizeof` without one buffer that the value has views into, because it is accounted for elsewhere. */
export function sizeofWithout(value: unknown, buffer: ArrayBufferLike | undefined): number {
  if (!isObject(value)) return Math.max(SLOT_BYTES, primitiveBytes(value));
  return new SizeWalk(buffer).bytesOf(value);
}

/** Lets task modules find this `sizeof`, whatever their bundle contains. */
export function publishSizeof(): void {
  publishFunction(sizeof);
}
