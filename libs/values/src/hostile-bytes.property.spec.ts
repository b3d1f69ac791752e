import * as fc from 'fast-check';
import { ENCODINGS, type Encoding } from '@spillway/messages';
import { ValueNotDecodableError } from '@spillway/kernel';
import { registerCodec } from './codec-registry.js';
import { FORM, MAGIC } from './container.js';
import { decodeValue } from './decode-value.js';
import { encodeValue } from './encode-value.js';

class Temperature {
  constructor(readonly degrees: number) {}
}
registerCodec({
  name: 'Temperature',
  type: Temperature,
  encode: (temperature) => ({ degrees: temperature.degrees }),
  decode: (data) => new Temperature((data as { degrees: number }).degrees),
});

const future = new (class Future {
  readonly id = 1;
})();
const floats = new Float64Array(20).fill(0.1);

/** Encodings that between them use every part of the format. */
const samples: readonly Uint8Array[] = [
  42,
  'text €',
  { a: [1, 'x', { b: null }] },
  [future, 5],
  {
    when: new Date(0),
    list: new Array<unknown>(3).fill(1, 2),
    map: new Map([[{ k: 1 }, new Set([1n])]]),
    r: /x/g,
  },
  { floats, part: floats.subarray(2, 5), bytes: Buffer.from('abc'), whole: new Uint8Array(30).buffer },
  {
    error: Object.assign(new TypeError('x', { cause: new Error('y') }), { code: 'C' }),
    t: new Temperature(1),
  },
  {
    future,
    key: new Map([[future, new Set([future, new Temperature(2)])]]),
    s: new SharedArrayBuffer(9),
    floats,
  },
  Array.from({ length: 900 }).reduce((inner: unknown) => ({ inner }), 1),
].map((value) => encodeValue(value, { dependencyIndexOf: (each) => (each === future ? 0 : undefined) }).data);

function decodeOrRefuse(data: Uint8Array, encoding: Encoding = 'v8'): void {
  try {
    decodeValue({ encoding, data }, { dependencies: ['result'] });
  } catch (error) {
    if (!(error instanceof ValueNotDecodableError)) throw error;
  }
}

it('decodes its samples', () => {
  for (const data of samples) decodeValue({ encoding: 'v8', data }, { dependencies: ['result'] });
});

it('refuses random bytes, or finds a value in them', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...ENCODINGS), decodeOrRefuse), {
    numRuns: 3000,
  });
});

it('refuses random bytes behind each right beginning, or finds a value in them', () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(FORM)), fc.uint8Array({ maxLength: 200 }), (form, bytes) =>
      decodeOrRefuse(Uint8Array.from([MAGIC, form, ...bytes])),
    ),
    { numRuns: 3000 },
  );
});

it('refuses what is cut short, or finds a value in it', () => {
  for (const data of samples) {
    for (let length = 0; length < data.byteLength; length++) decodeOrRefuse(data.slice(0, length));
  }
});

it('refuses what was damaged, or finds a value in it', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.constantFrom(...samples), damage, (sample, changes) => {
      const data = sample.slice();
      for (const [at, byte] of changes) data[at % data.byteLength] = byte;
      decodeOrRefuse(data);
    }),
    { numRuns: 6000 },
  );
});

it('refuses every single flipped bit of a container, or finds a value in it', () => {
  const sample = samples[7]!;
  for (let bit = 0; bit < sample.byteLength * 8; bit++) {
    const data = sample.slice();
    data[bit >> 3]! ^= 1 << (bit & 7);
    decodeOrRefuse(data);
  }
});
