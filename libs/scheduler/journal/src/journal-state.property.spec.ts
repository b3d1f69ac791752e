import fc from 'fast-check';
import type { JournalRecord } from '@spillway/messages';
import { FILE_HEAD, frameOf, readFrames } from './frames.js';
import { journalRecord } from './journal-records.spec-d.js';
import { JournalState } from '@spillway/messages';

function stateAfter(records: Iterable<JournalRecord>): JournalState {
  const state = new JournalState();
  for (const record of records) state.apply(record);
  return state;
}

/** Bytes read are views into the file; compared as plain numbers. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}

const plainRecords = (state: JournalState): unknown => plain([...state.records()]);

const history = fc.array(journalRecord, { maxLength: 60 });

test('the records of a state come to that state', () => {
  fc.assert(
    fc.property(history, (records) => {
      const state = stateAfter(records);
      expect(plainRecords(stateAfter(state.records()))).toEqual(plainRecords(state));
    }),
    { numRuns: 500 },
  );
});

test('a state that is saved on the way ends like one that is not', () => {
  fc.assert(
    fc.property(history, history, (before, after) => {
      const saved = stateAfter([...stateAfter(before).records(), ...after]);
      expect(plainRecords(saved)).toEqual(plainRecords(stateAfter([...before, ...after])));
    }),
    { numRuns: 500 },
  );
});

test('what is written is read, as far as it is whole', () => {
  const frames = fc.array(fc.array(journalRecord, { minLength: 1, maxLength: 5 }), { maxLength: 8 });
  fc.assert(
    fc.property(frames, fc.nat(), (written, cut) => {
      const parts = [FILE_HEAD, ...written.map(frameOf)];
      const whole = Buffer.concat(parts);
      const file = whole.subarray(0, cut % (whole.length + 1));
      const read: JournalRecord[] = [];
      const wholeBytes = readFrames(file, (record) => read.push(record));

      let bytes = 0;
      let count = 0;
      for (const part of parts) {
        if (bytes + part.length > file.length) break;
        bytes += part.length;
        count += 1;
      }
      expect(wholeBytes).toBe(bytes);
      expect(plain(read)).toEqual(plain(written.slice(0, Math.max(0, count - 1)).flat()));
    }),
    { numRuns: 300 },
  );
});

test('a flipped bit ends what can be read, and nothing wrong is read', () => {
  const frames = fc.array(fc.array(journalRecord, { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(frames, fc.nat(), (written, at) => {
      const file = Buffer.concat([FILE_HEAD, ...written.map(frameOf)]);
      const bit = at % (file.length * 8);
      file[bit >> 3]! ^= 1 << (bit & 7);
      const read: JournalRecord[] = [];
      const wholeBytes = readFrames(file, (record) => read.push(record));
      expect(wholeBytes).toBeLessThan(file.length);
      expect(plain(read)).toEqual((plain(written.flat()) as unknown[]).slice(0, read.length));
    }),
    { numRuns: 500 },
  );
});
