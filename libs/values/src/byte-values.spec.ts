import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import { ValueNotEncodableError } from '@spillway/kernel';
import { decodeValue } from './decode-value.js';
import { encodeValue } from './encode-value.js';

it.each<[string, unknown]>([
  ['a Uint8Array', new Uint8Array([1, 2, 3])],
  ['a part of a larger buffer', new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 4)],
  ['a Buffer', Buffer.from([1, 2, 3])],
  ['an ArrayBuffer', new Uint8Array([1, 2, 3]).buffer],
  ['text', '\u0001\u0002\u0003'],
])('bytes takes %s and gives a Buffer', (_, value) => {
  const payload = encodeValue(value, { encoding: 'bytes' });
  expect(payload.data.buffer.byteLength).toBe(3);
  const decoded = decodeValue(payload) as Buffer;
  expect(Buffer.isBuffer(decoded)).toBe(true);
  expect([...decoded]).toEqual([1, 2, 3]);
});

it('arrow-stream gives the very bytes', () => {
  const payload = encodeValue(new Uint8Array(40_000).fill(5), { encoding: 'arrow-stream', shared: true });
  expect(types.isSharedArrayBuffer(payload.data.buffer)).toBe(true);
  expect(decodeValue(payload)).toBe(payload.data);
});

it.each<[string, unknown, 'bytes' | 'arrow-stream']>([
  ['a number', 1, 'bytes'],
  ['undefined', undefined, 'bytes'],
  ['a Float64Array', new Float64Array(1), 'bytes'],
  ['an Array', [1, 2], 'bytes'],
  ['a string', 'text', 'arrow-stream'],
])('refuses %s', (text, value, encoding) => {
  const encode = (): unknown => encodeValue(value, { encoding });
  expect(encode).toThrow(ValueNotEncodableError);
  expect(encode).toThrow(text);
  expect(encode).toThrow(`encoding '${encoding}' takes`);
});
