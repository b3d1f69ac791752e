/**
 * Bytes that travel out of band: which ranges of which buffers, where they go in the payload, and the copying. Of a
 * buffer that is itself part of the value everything travels; else only the ranges that views cover, overlapping and
 * touching ones as one, so that what was shared stays shared.
 */
import { types } from 'node:util';
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

export interface Placement {
  readonly ranges: readonly Range[];
  /** Size of the payload up to the last section's end. */
  readonly endBytes: number;
  readonly buffers: readonly PlacedBuffer[];
  readonly views: readonly PlacedView[];
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

  /** Decides where everything goes, from `startBytes` of the payload on. */
  place(startBytes: number): Placement {
    const whole = [...this.#bufferNumbers.keys()].map((buffer) => rangeOf(buffer, 0, buffer.byteLength));
    const loose = this.#looseRanges();
    const ranges = [...whole, ...[...loose.values()].flat()];
    let endBytes = startBytes;
    for (const range of ranges) {
      const aligned = alignUp(endBytes);
      // Elements keep their distance to the alignment, so a view that was aligned stays aligned.
      range.offsetBytes = aligned + (range.startBytes % ALIGNMENT_BYTES);
      endBytes = range.offsetBytes + range.endBytes - range.startBytes;
    }
    return { ranges, endBytes, buffers: whole.map(placeBuffer), views: this.#placeViews(loose) };
  }

  #looseRanges(): Map<ArrayBufferLike, Range[]> {
    const viewsOf = new Map<ArrayBufferLike, ArrayBufferView[]>();
    for (const { view } of this.#views) {
      if (this.#bufferNumbers.has(view.buffer)) continue;
      const views = viewsOf.get(view.buffer);
      if (views === undefined) viewsOf.set(view.buffer, [view]);
      else views.push(view);
    }
    return new Map([...viewsOf].map(([buffer, views]) => [buffer, coalesce(buffer, views)]));
  }

  #placeViews(loose: ReadonlyMap<ArrayBufferLike, readonly Range[]>): PlacedView[] {
    return this.#views.map(({ type, view }) => {
      const sizeBytes = view.byteLength;
      const bufferNumber = this.#bufferNumbers.get(view.buffer);
      if (bufferNumber !== undefined) return { type, bufferNumber, offsetBytes: view.byteOffset, sizeBytes };
      const range = holderOf(loose.get(view.buffer)!, view.byteOffset);
      const offsetBytes = range.offsetBytes + view.byteOffset - range.startBytes;
      return { type, bufferNumber, offsetBytes, sizeBytes };
    });
  }
}

/** Copies every section to its place: the only time that bulk bytes are copied. */
export function copySections({ ranges }: Placement, target: Uint8Array): void {
  for (const { buffer, startBytes, endBytes, offsetBytes } of ranges) {
    target.set(new Uint8Array(buffer, startBytes, endBytes - startBytes), offsetBytes);
  }
}

const alignUp = (bytes: number): number => Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;

const rangeOf = (buffer: ArrayBufferLike, startBytes: number, endBytes: number): Range => ({
  buffer,
  startBytes,
  endBytes,
  offsetBytes: 0,
});

const placeBuffer = (range: Range): PlacedBuffer => ({
  isShared: types.isSharedArrayBuffer(range.buffer),
  offsetBytes: range.offsetBytes,
  sizeBytes: range.endBytes,
});

/** The ranges that views of one buffer cover, ascending, none touching the next. */
function coalesce(buffer: ArrayBufferLike, views: readonly ArrayBufferView[]): Range[] {
  const ranges: Range[] = [];
  for (const view of views.toSorted((a, b) => a.byteOffset - b.byteOffset)) {
    const endBytes = view.byteOffset + view.byteLength;
    const last = ranges.at(-1);
    if (last !== undefined && view.byteOffset <= last.endBytes)
      last.endBytes = Math.max(last.endBytes, endBytes);
    else ranges.push(rangeOf(buffer, view.byteOffset, endBytes));
  }
  return ranges;
}

/** The last of the ranges that does not start after the view. */
function holderOf(ranges: readonly Range[], viewStartBytes: number): Range {
  let low = 0;
  for (let high = ranges.length - 1; low < high;) {
    const middle = (low + high + 1) >>> 1;
    if (ranges[middle]!.startBytes <= viewStartBytes) low = middle;
    else high = middle - 1;
  }
  return ranges[low]!;
}
