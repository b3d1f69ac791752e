import { xxh64 } from '@node-rs/xxhash';

/** The 64-bit xxHash (seed 0) of the bytes, in ordinary or shared memory: finds damage, proves nothing about origin. */
export function checksum(data: Uint8Array): bigint {
  return xxh64(data);
}
