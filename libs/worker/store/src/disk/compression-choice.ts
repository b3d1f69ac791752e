/**
 * Whether a value is compressed before it is written. `auto` compresses only where it helps: a sample shrinks well, and
 * takes less time to compress than the disk, as measured, would take for the bytes that this saves. (On a fast disk
 * compression is what slows spilling down: hotpath.md.)
 */
import { CODECS, type CodecName, type CompressingCodec } from './codec.js';

/** `false`: never. A name: always, except for pieces that do not shrink. */
export type SpillCompression = 'auto' | CompressingCodec | false;

/** The codec of `auto`: the fastest there is. */
const AUTO_CODEC = 'lz4';
/** Smaller values are not worth it. */
const COMPRESSED_BYTES_MIN = 10_000;
const SAMPLE_COUNT = 5;
const SAMPLE_BYTES = 10_000;
/** A sample has to shrink to less than this share. */
const SHRUNK_SHARE = 0.7;

/** Bytes per second over the recent past. */
export class Throughput {
  #bytes = 0;
  #seconds = 0;

  constructor(
    /** Nothing is said of a speed before so much was seen. */
    private readonly bytesMin: number,
    /** What lies further back than this counts less and less. */
    private readonly windowBytes: number,
  ) {}

  add(bytes: number, seconds: number): void {
    this.#bytes += bytes;
    this.#seconds += seconds;
    if (this.#bytes <= this.windowBytes) return;
    this.#bytes /= 2;
    this.#seconds /= 2;
  }

  get bytesPerSecond(): number | undefined {
    if (this.#bytes < this.bytesMin) return undefined;
    return this.#seconds > 0 ? this.#bytes / this.#seconds : Infinity;
  }
}

export class CompressionChoice {
  readonly #codecSpeed = new Throughput(1, 1_000_000);

  constructor(
    private readonly setting: SpillCompression,
    private readonly disk: Pick<Throughput, 'bytesPerSecond'>,
    private readonly nowMs: () => number,
  ) {}

  codecFor(data: Uint8Array): CodecName {
    if (this.setting === false || data.byteLength < COMPRESSED_BYTES_MIN) return 'none';
    return this.setting === 'auto' ? this.#auto(data) : this.setting;
  }

  #auto(data: Uint8Array): CodecName {
    const diskSpeed = this.disk.bytesPerSecond;
    if (diskSpeed === undefined || diskSpeed > 2 * (this.#codecSpeed.bytesPerSecond ?? Infinity))
      return 'none';
    const sample = sampleOf(data);
    const startMs = this.nowMs();
    const shrunkBytes = CODECS[AUTO_CODEC].compress(sample).byteLength;
    const seconds = (this.nowMs() - startMs) / 1000;
    this.#codecSpeed.add(sample.byteLength, seconds);
    const savedBytes = sample.byteLength - shrunkBytes;
    const shrinks = shrunkBytes < sample.byteLength * SHRUNK_SHARE;
    return shrinks && seconds < savedBytes / diskSpeed ? AUTO_CODEC : 'none';
  }
}

/** Slices from all over the value: its start alone often looks unlike the rest. */
function sampleOf(data: Uint8Array): Uint8Array {
  if (data.byteLength <= SAMPLE_COUNT * SAMPLE_BYTES) return data;
  const sample = new Uint8Array(SAMPLE_COUNT * SAMPLE_BYTES);
  const stride = (data.byteLength - SAMPLE_BYTES) / (SAMPLE_COUNT - 1);
  for (let index = 0; index < SAMPLE_COUNT; index++) {
    const from = Math.floor(index * stride);
    sample.set(data.subarray(from, from + SAMPLE_BYTES), index * SAMPLE_BYTES);
  }
  return sample;
}
