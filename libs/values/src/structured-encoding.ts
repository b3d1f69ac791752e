/**
 * Writes a value as a `v8` container: looks it over, flattens it if it must, serializes, and lays everything out in one
 * block. Bulk bytes are copied once, into their final place.
 */
import { types } from 'node:util';
import { DefaultSerializer } from 'node:v8';
import { BARE_PREFIX_BYTES, FORM, MAGIC, prefixBytesOf, writePrefix } from './container.js';
import { STANDS_FOR, type Marker } from './flat-graph.js';
import { GraphFlattening } from './graph-flattening.js';
import { allocate } from './memory.js';
import { scan, type DependencyIndexOf } from './scan.js';
import { copySections, Sections } from './sections.js';
import { NotClonableError, TooDeepError } from './unencodable.js';

/** Throws whatever the value's getters, its codecs, or structured clone throw. */
export function encodeStructured(
  value: unknown,
  dependencyIndexOf: DependencyIndexOf | undefined,
  shared: boolean,
): Uint8Array {
  if (typeof value !== 'object' || value === null) return new GraphWriter().write(value, shared);
  const { hasSpecials, refused, isDeep, buffers } = scan(value, dependencyIndexOf);
  if (refused !== undefined) throw new NotClonableError(refused);
  if (!hasSpecials && !isDeep) {
    try {
      return new GraphWriter(buffers).write(value, shared);
    } catch (error) {
      // The stack was short already. Cutting the value into pieces needs less of it.
      if (!isStackOverflow(error)) throw error;
      return encodeFlat(value, dependencyIndexOf, true, shared);
    }
  }
  try {
    return encodeFlat(value, dependencyIndexOf, isDeep, shared);
  } catch (error) {
    if (isDeep || !(error instanceof TooDeepError || isStackOverflow(error))) throw error;
    return encodeFlat(value, dependencyIndexOf, true, shared);
  }
}

export function isStackOverflow(error: unknown): boolean {
  return types.isNativeError(error) && error.name === 'RangeError' && !('code' in error);
}

function encodeFlat(
  value: unknown,
  dependencyIndexOf: DependencyIndexOf | undefined,
  isDeep: boolean,
  shared: boolean,
): Uint8Array {
  const flattening = new GraphFlattening(dependencyIndexOf, isDeep);
  const flat = flattening.run(value);
  return new GraphWriter(flattening.buffers, flattening.markers).write(flat, shared);
}

class GraphWriter extends DefaultSerializer {
  readonly #sections = new Sections();

  constructor(
    buffers?: ReadonlySet<ArrayBuffer>,
    private readonly markers?: ReadonlyMap<object, Marker>,
  ) {
    super();
    // Told in advance that these are "transferred", the serializer writes only their numbers.
    buffers?.forEach((buffer) => this.transferArrayBuffer(this.#sections.addBuffer(buffer), buffer));
  }

  write(value: unknown, shared: boolean): Uint8Array {
    this.writeHeader();
    this.writeValue(value);
    const clone = this.releaseBuffer();
    const sections = this.#sections;
    const isFlat = this.markers !== undefined;
    if (sections.bufferCount + sections.viewCount === 0) {
      const target = allocate(BARE_PREFIX_BYTES + clone.byteLength, shared);
      target[0] = MAGIC;
      target[1] = isFlat ? FORM.flatBare : FORM.bare;
      target.set(clone, BARE_PREFIX_BYTES);
      return target;
    }
    const cloneStartBytes = prefixBytesOf(sections.bufferCount, sections.viewCount);
    const placement = sections.place(cloneStartBytes + clone.byteLength);
    const target = allocate(placement.endBytes, shared);
    const form = isFlat ? FORM.flatContainer : FORM.container;
    writePrefix(target, form, { ...placement, cloneBytes: clone.byteLength });
    target.set(clone, cloneStartBytes);
    copySections(placement, target);
    return target;
  }

  /** Called by the serializer for views on bytes, our markers among them, and for native objects. */
  _writeHostObject(object: object): void {
    const marker = this.markers?.get(object);
    if (marker !== undefined) this.#writeMarker(marker);
    else if (ArrayBuffer.isView(object)) this.#writeNumber(STANDS_FOR.view, this.#sections.addView(object));
    else throw new NotClonableError(object);
  }

  #writeMarker(marker: Marker): void {
    if (marker.standsFor === 'sharedBuffer') {
      this.#writeNumber(STANDS_FOR.sharedBuffer, this.#sections.addBuffer(marker.buffer));
    } else this.#writeNumber(STANDS_FOR[marker.standsFor], marker.number);
  }

  #writeNumber(standsFor: number, number: number): void {
    this.writeUint32(standsFor);
    this.writeUint32(number);
  }
}
