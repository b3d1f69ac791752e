/** Packs and shared memory give back exactly what was put into them. */
import fc from 'fast-check';
import { asModuleHash, asRunId, asTaskKey } from '@spillway/kernel';
import { ENCODINGS, type FunctionRef, type Payload } from '@spillway/messages';
import { packRuns, unpackRuns } from './run-pack.js';
import { PackReader, PackWriter } from './pack.js';
import { makeThreadMemory, ResultRing, RunClaims, RUNS_IN_THREAD_MAX, SEQ_LIMIT } from './shared-memory.js';

const payloads: fc.Arbitrary<Payload> = fc
  .record({
    encoding: fc.constantFrom(...ENCODINGS),
    bytes: fc.uint8Array({ maxLength: 300 }),
    before: fc.nat(20),
    isShared: fc.boolean(),
    isLarge: fc.boolean(),
  })
  .map(({ encoding, bytes, before, isShared, isLarge }) => {
    const size = bytes.length + (isLarge ? 70_000 : 0);
    const buffer = isShared ? new SharedArrayBuffer(before + size) : new ArrayBuffer(before + size);
    const data = new Uint8Array(buffer, before, size);
    data.set(bytes);
    return { encoding, data };
  });

const isFilledWith = (data: Uint8Array | undefined, byte: number): boolean =>
  data === undefined || Buffer.from(data).equals(Buffer.alloc(data.length, byte));

const functions: fc.Arbitrary<FunctionRef> = fc.oneof(
  fc.record({
    kind: fc.constant('bundle' as const),
    moduleHash: fc.constantFrom('a', 'b').map(asModuleHash),
    exportName: fc.constantFrom('x', 'y'),
  }),
  fc.record({
    kind: fc.constant('preinstalled' as const),
    module: fc.constantFrom('a', 'b'),
    exportName: fc.constantFrom('x', 'y'),
  }),
);

test('runs arrive in the thread as they were handed over, in order', () => {
  const run = fc.record({
    key: fc.string(),
    attempt: fc.integer({ min: 1, max: 9 }),
    ref: functions,
    args: payloads,
    inputs: fc.array(payloads, { maxLength: 3 }),
    resultEncoding: fc.constantFrom(...ENCODINGS),
  });
  fc.assert(
    fc.property(fc.array(run, { maxLength: 12 }), fc.boolean(), (runs, hasInputKeys) => {
      const inputKeysOf = ({ inputs, key }: (typeof runs)[number]): string[] =>
        inputs.map((_, at) => `${key} input ${at}`);
      const message = packRuns(
        runs.map((planned, index) => {
          const { key, ref, ...rest } = planned;
          const inputKeys = inputKeysOf(planned).map(asTaskKey);
          return {
            seq: index,
            execution: {
              slot: 0,
              key: asTaskKey(key),
              runId: asRunId(index),
              function: ref,
              inputKeys,
              ...rest,
            },
          };
        }),
        hasInputKeys,
      );

      const arrived = unpackRuns(structuredClone(message));

      const plain = ({ encoding, data }: Payload): string =>
        `${encoding} ${Buffer.from(data).toString('base64')}`;
      expect(
        arrived.map(({ args, inputs, ...rest }) => ({
          ...rest,
          args: plain(args),
          inputs: inputs.map(plain),
        })),
      ).toEqual(
        runs.map((planned, seq) => ({
          seq,
          key: planned.key,
          attempt: planned.attempt,
          function: planned.ref,
          resultEncoding: planned.resultEncoding,
          args: plain(planned.args),
          inputs: planned.inputs.map(plain),
          inputKeys: hasInputKeys ? inputKeysOf(planned) : [],
        })),
      );
    }),
    { numRuns: 100 },
  );
});

test('a value that several runs of a pack use is in it once', () => {
  const value: Payload = { encoding: 'v8', data: new Uint8Array(10_000).fill(3) };
  const writer = new PackWriter();
  for (let count = 0; count < 50; count += 1) writer.payload(value);

  const pack = writer.finish();

  expect(pack.bytes.byteLength).toBe(10_000);
  const reader = new PackReader(pack);
  for (let count = 0; count < 50; count += 1) expect(reader.payload()).toEqual(value);
});

test('the ring gives back results in order, whatever the sizes and whenever it is read', () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ write: fc.integer({ min: 0, max: 4096 }) }) },
    { weight: 2, arbitrary: fc.record({ readCount: fc.integer({ min: 1, max: 20 }) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.nat(250_000), (steps, offset) => {
      const memory = makeThreadMemory();
      const [writer, reader] = [new ResultRing(memory), new ResultRing(memory)];
      // Bring the positions anywhere in the ring first.
      for (let moved = 0; moved < offset; moved += 4096) {
        writer.tryWrite(1, 0, { encoding: 'v8', data: new Uint8Array(4096 - 24) });
        reader.read();
      }
      const expected: { seq: number; durationMs: number; size: number }[] = [];
      let seq = 0;
      const readOne = (): void => {
        const read = reader.read();
        const wanted = expected.shift();
        const found = read && { seq: read.seq, durationMs: read.durationMs, size: read.result.data.length };
        expect(JSON.stringify(found)).toBe(JSON.stringify(wanted));
        expect(isFilledWith(read?.result.data, (read?.seq ?? 0) & 0xff)).toBe(true);
      };
      for (const action of steps) {
        if ('readCount' in action) for (let n = 0; n < action.readCount; n += 1) readOne();
        else {
          const data = new Uint8Array(action.write).fill(seq & 0xff);
          if (writer.tryWrite(seq, seq / 3, { encoding: 'json', data })) {
            expected.push({ seq, durationMs: seq / 3, size: action.write });
          } else expect(expected.length).toBeGreaterThan(40);
          seq += 1;
        }
      }
      while (expected.length > 0) readOne();
      expect(reader.read()).toBeUndefined();
    }),
    { numRuns: 100 },
  );
});

test('a full ring refuses, and takes again once it was read', () => {
  const ring = new ResultRing(makeThreadMemory());
  const payload: Payload = { encoding: 'v8', data: new Uint8Array(4096) };
  let count = 0;
  while (ring.tryWrite(count, 0, payload)) count += 1;

  expect(count).toBeGreaterThan(60);
  expect(ring.read()?.seq).toBe(0);
  expect(ring.read()?.seq).toBe(1);
  expect(ring.tryWrite(count, 0, payload)).toBe(true);
});

test('a result in shared memory is not copied into the ring', () => {
  const ring = new ResultRing(makeThreadMemory());
  const data = new Uint8Array(new SharedArrayBuffer(8));
  expect(ring.tryWrite(0, 0, { encoding: 'v8', data })).toBe(false);
});

test('a run either starts or is skipped, never both and never twice', () => {
  const memory = makeThreadMemory();
  const [main, thread] = [new RunClaims(memory), new RunClaims(memory)];
  main.queue(5);
  main.queue(6);

  expect([main.trySkip(5), thread.tryStart(5), main.trySkip(5)]).toEqual([true, false, false]);
  expect([thread.tryStart(6), main.trySkip(6), thread.tryStart(6)]).toEqual([true, false, false]);
});

test('a run that was skipped long ago does not start under the number of a new one', () => {
  const claims = new RunClaims(makeThreadMemory());
  claims.queue(7);
  claims.trySkip(7);
  claims.queue(7 + RUNS_IN_THREAD_MAX);

  expect(claims.tryStart(7)).toBe(false);
  expect(claims.tryStart(7 + RUNS_IN_THREAD_MAX)).toBe(true);
  claims.queue(SEQ_LIMIT - 1);
  expect(claims.tryStart(SEQ_LIMIT - 1)).toBe(true);
});
