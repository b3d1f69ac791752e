/**
 * How pieces are compressed. A narrow seam: a codec works on one bounded piece at a time, in the spill thread. Whether
 * to compress at all is decided in compression-choice.ts.
 */
import { Buffer } from 'node:buffer';
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib';
import { compressSync as lz4CompressSync, uncompressSync as lz4DecompressSync } from 'lz4-napi';

/** Position in this list is what stands on disk: append only. */
export const CODEC_NAMES = ['none', 'gzip', 'brotli', 'lz4'] as const;
export type CodecName = (typeof CODEC_NAMES)[number];
export type CompressingCodec = Exclude<CodecName, 'none'>;

export interface Codec {
  compress(raw: Uint8Array): Uint8Array;
  /** Requires: checked bytes. Throws when they do not come to `rawBytes`. */
  decompress(stored: Uint8Array, rawBytes: number): Uint8Array;
}

export const CODECS: Readonly<Record<CompressingCodec, Codec>> = {
  gzip: {
    compress: (raw) => gzipSync(raw, { level: 1 }),
    decompress: (stored, rawBytes) => gunzipSync(stored, { maxOutputLength: Math.max(1, rawBytes) }),
  },
  brotli: {
    compress: (raw) =>
      brotliCompressSync(raw, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: 1,
          [constants.BROTLI_PARAM_SIZE_HINT]: raw.byteLength,
        },
      }),
    decompress: (stored, rawBytes) =>
      brotliDecompressSync(stored, { maxOutputLength: Math.max(1, rawBytes) }),
  },
  lz4: {
    compress: (raw) => lz4CompressSync(bufferOf(raw)),
    decompress: (stored, rawBytes) => {
      // The library makes room for whatever length stands in front.
      if (bufferOf(stored).readUInt32LE(0) !== rawBytes)
        throw new Error(`The lz4 block does not claim to have ${rawBytes} bytes.`);
      return lz4DecompressSync(stored);
    },
  },
};

const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
