import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import { checksum } from './checksum.js';
import { encodeValue } from './encode-value.js';
import { copyOut, payloadBytes, unshared } from './memory.js';

const inShared = (bytes: readonly number[]): Uint8Array => {
  const view = new Uint8Array(new SharedArrayBuffer(bytes.length + 8), 8);
  view.set(bytes);
  return view;
};

it('unshared copies a view on shared memory to the same kind of view on ordinary memory', () => {
  const shared = inShared([0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
  const floats = unshared(new Float64Array(shared.buffer, 8, 1));
  expect(floats).toEqual(new Float64Array([1]));
  expect(types.isSharedArrayBuffer(floats.buffer)).toBe(false);
  const buffer = unshared(Buffer.from(shared.buffer, 14, 2));
  expect(Buffer.isBuffer(buffer)).toBe(true);
  expect([...buffer]).toEqual([0xf0, 0x3f]);
});

it('unshared gives a view on ordinary memory as it is', () => {
  const view = new Uint8Array(4);
  expect(unshared(view)).toBe(view);
});

it('unshared makes shared bytes acceptable to WebCrypto and Response', async () => {
  const shared = inShared([1, 2, 3]);
  expect(await new Response(unshared(shared) as Uint8Array<ArrayBuffer>).arrayBuffer()).toEqual(
    new Uint8Array([1, 2, 3]).buffer,
  );
});

it('copyOut copies always, to memory of exactly the size', () => {
  const view = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
  const copy = copyOut(view);
  expect([...copy]).toEqual([2, 3]);
  expect(copy.buffer.byteLength).toBe(2);
});

it('payloadBytes is the size of the encoded bytes', () => {
  expect(payloadBytes(encodeValue(new Uint8Array(100), { encoding: 'bytes' }))).toBe(100);
});

it('checksum is xxh64, the same for bytes in ordinary and in shared memory', () => {
  expect(checksum(new Uint8Array(0))).toBe(0xef46db3751d8e999n);
  const bytes = Array.from({ length: 1000 }, (_, index) => index % 251);
  expect(checksum(inShared(bytes))).toBe(checksum(Uint8Array.from(bytes)));
  expect(checksum(inShared(bytes).subarray(3))).toBe(checksum(Uint8Array.from(bytes.slice(3))));
  expect(checksum(inShared(bytes).subarray(3))).not.toBe(checksum(Uint8Array.from(bytes)));
});
