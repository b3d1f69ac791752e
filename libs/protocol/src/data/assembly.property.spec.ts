import fc from 'fast-check';
import { asTaskKey, SpillwayError } from '@spillway/kernel';
import { DATA_MESSAGE_BYTES_MAX, ENCODINGS } from '@spillway/messages';
import { FetchAnswer } from './fetch-answer.js';
import { bytesPayload, patterned } from './fixtures.spec-d.js';
import { ValueSender } from './value-sender.js';
import { DATA_SERVICE, type FetchStep } from './wire.js';

const keys = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 30 });

test('whatever the sizes and the chunk, what is taken apart is put together again', async () => {
  await fc.assert(
    fc.asyncProperty(
      keys,
      fc.array(fc.option(fc.oneof(fc.nat(20), fc.nat(20_000))), { minLength: 30, maxLength: 30 }),
      fc.integer({ min: 64, max: 9000 }),
      async (names, sizes, chunkBytes) => {
        const held = names.map((name, index) => ({
          key: asTaskKey(name),
          data: sizes[index] == null ? undefined : patterned(sizes[index], index),
        }));
        const messages: Buffer[] = [];
        const sender = new ValueSender(chunkBytes, (steps) => {
          messages.push(DATA_SERVICE.fetchValues.responseSerialize(steps));
          return Promise.resolve();
        });
        for (const { key, data } of held) {
          await (data === undefined ? sender.sendMissing(key) : sender.sendValue(key, bytesPayload(data)));
        }
        await sender.flush();

        const answer = new FetchAnswer(held.map(({ key }) => ({ key })));
        for (const message of messages) {
          for (const step of DATA_SERVICE.fetchValues.responseDeserialize(message)) answer.take(step);
        }
        answer.checkComplete();

        const present = held.filter(({ data }) => data !== undefined);
        expect(answer.missing).toEqual(held.filter(({ data }) => data === undefined).map(({ key }) => key));
        expect(answer.values.map((value) => Buffer.from(value.payload.data).toString('hex'))).toEqual(
          present.map(({ data }) => Buffer.from(data!).toString('hex')),
        );
        const messageBytesMax = Math.max(...messages.map((message) => message.byteLength));
        expect(messageBytesMax).toBeLessThanOrEqual(2 * chunkBytes + 256);
        expect(messageBytesMax).toBeLessThan(DATA_MESSAGE_BYTES_MAX);
      },
    ),
    { numRuns: 200 },
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
