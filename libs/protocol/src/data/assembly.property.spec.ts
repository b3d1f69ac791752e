import fc from 'fast-check';
import { asTaskKey, SpillwayError } from '@spillway/kernel';
import { DATA_MESSAGE_BYTES_MAX, ENCODINGS } from '@spillway/messages';
import { copyInto } from './aligned-copy.js';
import { FetchAnswer } from './fetch-answer.js';
import { bytesPayload, patterned } from './fixtures.spec-d.js';
import { ValueSender } from './value-sender.js';
import { decodeSteps, type FetchStep } from './wire.js';

const keys = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 8 });

test('whatever the sizes and the chunk, what is taken apart is put together again', async () => {
  await fc.assert(
    fc.asyncProperty(
      keys,
      fc.array(fc.option(fc.oneof(fc.nat(20), fc.nat(60_000))), { minLength: 8, maxLength: 8 }),
      fc.integer({ min: 64, max: 40_000 }),
      async (names, sizes, chunkBytes) => {
        const held = names.map((name, index) => ({
          key: asTaskKey(name),
          data: sizes[index] == null ? undefined : patterned(sizes[index], index),
        }));
        const messages: Uint8Array[] = [];
        const sender = new ValueSender(chunkBytes, (message) => {
          // A copy: the sender uses the bytes again once the message has left.
          messages.push(Uint8Array.from(message));
          return Promise.resolve();
        });
        for (const { key, data } of held) {
          await (data === undefined ? sender.sendMissing(key) : sender.sendValue(key, bytesPayload(data)));
        }
        await sender.flush();

        const answer = new FetchAnswer(held.map(({ key }) => ({ key })));
        for (const message of messages) {
          for (const step of decodeSteps(message)) answer.take(step);
        }
        answer.checkComplete();

        const present = held.filter(({ data }) => data !== undefined);
        expect(answer.missing).toEqual(held.filter(({ data }) => data === undefined).map(({ key }) => key));
        expect(answer.values.map((value) => Buffer.from(value.payload.data).toString('latin1'))).toEqual(
          present.map(({ data }) => Buffer.from(data!).toString('latin1')),
        );
        const messageBytesMax = Math.max(...messages.map((message) => message.byteLength));
        expect(messageBytesMax).toBeLessThanOrEqual(chunkBytes + 256);
        expect(messageBytesMax).toBeLessThan(DATA_MESSAGE_BYTES_MAX);
      },
    ),
    { numRuns: 100 },
  );
});

const anyStep: fc.Arbitrary<FetchStep> = fc.oneof(
  fc.record({
    step: fc.constant('start' as const),
    start: fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      encoding: fc.constantFrom(...ENCODINGS, 'other'),
      sizeBytes: fc.oneof(fc.nat(8), fc.constantFrom(-1, 1.5, NaN, 2 ** 53, 2 ** 64)),
    }),
  }),
  fc.record({ step: fc.constant('chunk' as const), chunk: fc.uint8Array({ maxLength: 8 }) }),
  fc.record({
    step: fc.constant('missing' as const),
    missing: fc.record({ key: fc.constantFrom('a', 'b', 'c') }),
  }),
);

test('whatever a peer sends, each value kept is exactly the bytes that were sent for its key', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
      const wanted = ['a', 'b', 'c'].map((name) => ({ key: asTaskKey(name), nbytes: 8 }));
      const answer = new FetchAnswer(wanted);
      const sent = new Map<string, number[]>();
      let current = '';
      try {
        for (const step of steps) {
          answer.take(step);
          if (step.start) sent.set((current = step.start.key ?? ''), []);
          if (step.chunk) sent.get(current)?.push(...step.chunk);
        }
        answer.checkComplete();
        expect(answer.values.length + answer.missing.length).toBe(3);
      } catch (error) {
        // Only a typed refusal, so that a failing expectation above is not swallowed.
        if (!(error instanceof SpillwayError)) throw error;
      }
      for (const { key, payload } of answer.values) expect([...payload.data]).toEqual(sent.get(key));
    }),
    { numRuns: 2000 },
  );
});

test('bytes are copied to their place and no other, however both sides lie', () => {
  const anyBytes = (shared: boolean, sizeBytes: number): Uint8Array =>
    new Uint8Array(shared ? new SharedArrayBuffer(sizeBytes) : new ArrayBuffer(sizeBytes));
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.boolean(),
      fc.nat(20),
      fc.nat(20),
      fc.nat(20),
      fc.oneof(fc.nat(100), fc.integer({ min: 65_530, max: 140_000 })),
      (targetIsShared, sourceIsShared, targetOffset, sourceOffset, at, sizeBytes) => {
        const target = anyBytes(targetIsShared, targetOffset + at + sizeBytes + 9).subarray(targetOffset);
        const source = anyBytes(sourceIsShared, sourceOffset + sizeBytes).subarray(sourceOffset);
        source.set(patterned(sizeBytes, sizeBytes));

        copyInto(target, at, source);

        expect(Buffer.compare(target.subarray(at, at + sizeBytes), source)).toBe(0);
        expect(target.subarray(0, at).every((byte) => byte === 0)).toBe(true);
        expect(target.subarray(at + sizeBytes).every((byte) => byte === 0)).toBe(true);
      },
    ),
    { numRuns: 100 },
  );
});
