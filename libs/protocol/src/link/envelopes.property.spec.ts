import fc from 'fast-check';
import { InvalidArgumentError, SpillwayError } from '@spillway/kernel';
import * as messages from '../messages.spec-d.js';
import { numbered, packBatches } from './batch-writer.js';
import {
  clientDown,
  clientUp,
  nannyDown,
  nannyUp,
  workerDown,
  workerUp,
  type DownCodec,
  type UpCodec,
} from './envelopes.js';

/** Views of a received buffer and plain arrays hold the same bytes; compared as plain arrays. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}

function survivesTheWire<Message>(
  codec: {
    encoder: DownCodec<Message>['encoder'];
    decode(bytes: Uint8Array): { messages: readonly Message[] };
  },
  arbitrary: fc.Arbitrary<Message>,
): void {
  fc.assert(
    fc.property(fc.array(arbitrary, { maxLength: 6 }), fc.maxSafeNat(), (sent, ack) => {
      const bodies = packBatches(sent, () => codec.encoder());
      const decoded = bodies.map((body, index) => codec.decode(numbered(index + 1, ack, body)));

      for (const [index, batch] of decoded.entries()) {
        expect(batch).toMatchObject({ seq: index + 1, ack, end: undefined });
      }
      expect(plain(decoded.flatMap((batch) => batch.messages))).toEqual(plain(sent));
    }),
    { numRuns: 300 },
  );
}

describe('everything that programs say survives the wire', () => {
  test('from client to scheduler', () => survivesTheWire(clientUp, messages.clientToScheduler));
  test('from scheduler to client', () => survivesTheWire(clientDown, messages.schedulerToClient));
  test('from worker to scheduler', () => survivesTheWire(workerUp, messages.workerToScheduler));
  test('from scheduler to worker', () => survivesTheWire(workerDown, messages.schedulerToWorker));
  test('from nanny to scheduler', () => survivesTheWire(nannyUp, messages.nannyToScheduler));
  test('from scheduler to nanny', () => survivesTheWire(nannyDown, messages.schedulerToNanny));

  test('first words and the welcome', () => {
    const opening = fc.record({ nonce: fc.uuid(), epoch: fc.uuid(), received: fc.maxSafeNat() });
    const check = <Hello>(codec: UpCodec<Hello, never>, hello: fc.Arbitrary<Hello>): void => {
      fc.assert(
        fc.property(opening, hello, (session, words) => {
          const { opening: decoded } = codec.decode(codec.encodeOpening(session, words));
          expect(plain(decoded)).toEqual(plain({ session, hello: words }));
        }),
      );
    };
    check(clientUp as UpCodec<unknown, never>, messages.clientHello);
    check(workerUp as UpCodec<unknown, never>, messages.workerHello);
    check(nannyUp as UpCodec<unknown, never>, messages.nannyHello);

    const welcome = { epoch: 'e', resumed: true, received: 2 ** 53 - 1, heartbeatMs: 500 };
    expect(clientDown.decode(clientDown.encodeWelcome(welcome)).welcome).toEqual(welcome);
    expect(workerDown.decode(workerDown.encodeWelcome(welcome)).welcome).toEqual(welcome);
    expect(nannyDown.decode(nannyDown.encodeWelcome(welcome)).welcome).toEqual(welcome);
  });
});

const CODECS = { clientUp, clientDown, workerUp, workerDown, nannyUp, nannyDown };

describe('whatever arrives', () => {
  const decodesOrRefuses = (bytes: Uint8Array): void => {
    for (const codec of Object.values(CODECS)) {
      try {
        codec.decode(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(SpillwayError);
        expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
      }
    }
  };

  test('is decoded or refused as INVALID_ARGUMENT: any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), decodesOrRefuses), { numRuns: 2000 });
  });

  test('is decoded or refused as INVALID_ARGUMENT: real batches with changed bytes', () => {
    const batch = fc.oneof(
      messages.clientToScheduler.map((message) => packBatches([message], () => clientUp.encoder())[0]),
      messages.schedulerToWorker.map((message) => packBatches([message], () => workerDown.encoder())[0]),
      messages.workerToScheduler.map((message) => packBatches([message], () => workerUp.encoder())[0]),
      messages.nannyToScheduler.map((message) => packBatches([message], () => nannyUp.encoder())[0]),
    );
    const change = fc.record({ at: fc.nat(), to: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(batch, fc.array(change, { minLength: 1, maxLength: 5 }), (body, changes) => {
        const bytes = numbered(1, 0, body ?? new Uint8Array());
        for (const { at, to } of changes) bytes[at % bytes.length] = to;
        decodesOrRefuses(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  test('nests only so deep: a long chain of causes is refused, not followed', () => {
    let error = Buffer.from([0x0a, 0x01, 0x58]);
    for (let depth = 0; depth < 2000; depth++) {
      const length = varint(error.length);
      error = Buffer.concat([Buffer.from([0x0a, 0x01, 0x58, 0x2a]), length, error]);
    }
    const keyErred = Buffer.concat([Buffer.from([0x0a, 0x01, 0x6b, 0x12]), varint(error.length), error]);
    const message = Buffer.concat([Buffer.from([0x22]), varint(keyErred.length), keyErred]);
    const bytes = Buffer.concat([Buffer.from([0x08, 0x01, 0x2a]), varint(message.length), message]);

    expect(() => clientDown.decode(bytes)).toThrow(InvalidArgumentError);
  });
});

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
