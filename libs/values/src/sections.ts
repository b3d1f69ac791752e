/**
 * Bytes that travel out of band: which ranges of which buffers, where they go in the payload, and the copying. Of a
 * buffer that is itself part of the value everything travels; else only the ranges that views cover, overlapping and
 * touching ones as one, so that what was shared stays shared.
 */
import { viewTypeOf } from './view-types.js';
import { NotClonableError } from './unencodable.js';

/** Sections start at multiples of this, plus what a range's own start is off by. */
const ALIGNMENT_BYTES = 16;

export interface PlacedBuffer {
  readonly isShared: boolean;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}
export interface PlacedView {
  readonly type: number;
  /** Number of the buffer it belongs to, or `undefined` for the payload itself. */
  readonly bufferNumber: number | undefined;
  /** From the start of its buffer, or of the payload. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

interface Range {
  readonly buffer: ArrayBufferLike;
  readonly startBytes: number;
  endBytes: number;
  offsetBytes: number;
}

export class Sections {
  readonly #views: { readonly type: number; readonly view: ArrayBufferView }[] = [];
  readonly #viewNumbers = new Map<ArrayBufferView, number>();
  readonly #bufferNumbers = new Map<ArrayBufferLike, number>();

  /** Takes a whole buffer; its number. */
  addBuffer(buffer: ArrayBufferLike): number {
    let number = this.#bufferNumbers.get(buffer);
    if (number === undefined) this.#bufferNumbers.set(buffer, (number = this.#bufferNumbers.size));
    return number;
  }

  /** Takes the bytes of a view; its number. */
  addView(view: ArrayBufferView): number {
    const known = this.#viewNumbers.get(view);
    if (known !== undefined) return known;
    const type = viewTypeOf(view);
    if (type === undefined) throw new NotClonableError(view);
    this.#viewNumbers.set(view, this.#views.length);
    return this.#views.push({ type, view }) - 1;
  }

  get bufferCount(): number {
    return this.#bufferNumbers.size;
  }

  get viewCount(): number {
    return this.#views.length;
  }

  /** Decides where everything goes, after `startBytes` bytes of the payload. */
  place(startBytes: number): Placement {
    const ranges = [...this.#wholeRanges(), ...coalesce(this.#looseViews())];
    let endBytes = startBytes;
    for (const range of ranges) {
      const aligned = Math.ceil(endBytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
      // Elements keep their distance to the alignment, so a view that was aligned stays aligned.
      range.offsetBytes = aligned + (range.startBytes % ALIGNMENT_BYTES);
      endBytes = range.offsetBytes + range.endBytes - range.startBytes;
    }
    return new Placement(ranges, endBytes, this.#placeBuffers(ranges), this.#placeViews(ranges));
  }

  #wholeRanges(): Range[] {
    return [...this.#bufferNumbers.keys()].map((buffer) => rangeOf(buffer, 0, buffer.byteLength));
  }

  #looseViews(): ArrayBufferView[] {
    return this.#views.map(({ view }) => view).filter((view) => !this.#bufferNumbers.has(view.buffer));
  }

  #placeBuffers(ranges: readonly Range[]): PlacedBuffer[] {
    return ranges.slice(0, this.#bufferNumbers.size).map((range) => ({
      isShared: !(range.buffer instanceof ArrayBuffer) && range.buffer instanceof SharedArrayBuffer,
      offsetBytes: range.offsetBytes,
      sizeBytes: range.endBytes,
    }));
  }

  #placeViews(ranges: readonly Range[]): PlacedView[] {
    const rangesOf = Map.groupBy(ranges, (range) => range.buffer);
    return this.#views.map(({ type, view }) => {
      const sizeBytes = view.byteLength;
      const bufferNumber = this.#bufferNumbers.get(view.buffer);
      if (bufferNumber !== undefined) return { type, bufferNumber, offsetBytes: view.byteOffset, sizeBytes };
      const range = holderOf(rangesOf.get(view.buffer)!, view.byteOffset);
      const offsetBytes = range.offsetBytes + view.byteOffset - range.startBytes;
      return { type, bufferNumber, offsetBytes, sizeBytes };
    });
  }
}
