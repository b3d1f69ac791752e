import type { Payload } from '@spillway/messages';
import { encodeValue, sizeof } from '@spillway/values';
import { makeThreadMemory } from '../shared-memory.js';
import { ThreadReadings } from '../thread-readings.js';
import { DecodedCopies } from './decoded-copies.js';

const MiB = 1024 * 1024;
const value = {
  names: Array.from({ length: 1000 }, (_, at) => `name ${at}`),
  weights: new Float64Array(100),
};

/** As small values arrive: somewhere in a pack of many. */
function inPack({ encoding, data }: Payload): Payload {
  const pack = new Uint8Array(MiB);
  pack.set(data, 64);
  return { encoding, data: pack.subarray(64, 64 + data.byteLength) };
}

test('a copy of a value that came in a pack keeps nothing of the pack alive, and counts as what it takes itself', () => {
  const readings = new ThreadReadings(makeThreadMemory());
  const copies = new DecodedCopies(MiB, readings);
  const payload = inPack(encodeValue(value));

  const decoded = copies.valueOf('x', payload) as typeof value;

  expect(decoded.weights.buffer.byteLength).toBe(payload.data.byteLength);
  expect(readings.cachedBytes).toBe(sizeof(decoded));
  expect(readings.cachedBytes).toBeLessThan(MiB / 2);
  expect(copies.valueOf('x', payload)).toBe(decoded);
});

test('what is little more than a view of its bytes is not kept', () => {
  const readings = new ThreadReadings(makeThreadMemory());
  const copies = new DecodedCopies(MiB, readings);

  copies.valueOf('x', inPack(encodeValue(new Float64Array(1000))));

  expect(readings.cachedBytes).toBe(0);
});
