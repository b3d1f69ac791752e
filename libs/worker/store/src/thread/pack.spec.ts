import fc from 'fast-check';
import { ENCODINGS } from '@spillway/messages';
import { asTaskKey } from '@spillway/kernel';
import { WRITE_BYTES_MAX, WRITE_COUNT_MAX, type ValueToWrite } from '../disk/spill-disk.js';
import { Packs, unpack } from './pack.js';

const value = (name: string, data: Uint8Array): ValueToWrite => ({
  key: asTaskKey(name),
  payload: { encoding: 'bytes', data },
});

test('whatever is packed comes out as it was, also in memory that was used before', () => {
  const packs = new Packs();
  const one = fc.record({
    key: fc.string({ minLength: 1 }).map(asTaskKey),
    payload: fc.record({ encoding: fc.constantFrom(...ENCODINGS), data: fc.uint8Array({ maxLength: 50 }) }),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 30 }), (values) => {
      const packed = packs.pack(values);
      expect(
        unpack(packed).map(({ key, payload: { encoding, data } }) => [key, encoding, [...data]]),
      ).toEqual(values.map(({ key, payload: { encoding, data } }) => [key, encoding, [...data]]));
      packs.giveBack(packed);
    }),
  );
});

test('memory is used again once it was given back, and not before', () => {
  const packs = new Packs();
  const first = packs.pack([value('x', Uint8Array.of(1))]);
  const second = packs.pack([value('y', Uint8Array.of(2))]);
  expect(second.memory).not.toBe(first.memory);

  packs.giveBack(first);
  expect(packs.pack([value('z', Uint8Array.of(3))]).memory).toBe(first.memory);
  expect([...unpack(second)[0]!.payload.data]).toEqual([2]);
});

test('as much as may be written in one go fits into memory that is used again', () => {
  const packs = new Packs();
  const each = Math.floor(WRITE_BYTES_MAX / WRITE_COUNT_MAX) - 1;
  const full = packs.pack(
    Array.from({ length: WRITE_COUNT_MAX }, (_, index) => value(`${index}`, new Uint8Array(each))),
  );
  packs.giveBack(full);
  expect(packs.pack([value('x', new Uint8Array(1))]).memory).toBe(full.memory);
});
