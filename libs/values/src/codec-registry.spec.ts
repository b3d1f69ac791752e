import { InvalidArgumentError, ValueNotDecodableError, ValueNotEncodableError } from '@spillway/kernel';
import { registerCodec } from './codec-registry.js';
import { decodeValue } from './decode-value.js';
import { encodeValue } from './encode-value.js';

const roundTrip = <T>(value: T): T => decodeValue(encodeValue(value)) as T;

class Point {
  readonly #secret: unknown;
  constructor(secret: unknown) {
    this.#secret = secret;
  }
  get secret(): unknown {
    return this.#secret;
  }
}
registerCodec({
  name: 'Point',
  type: Point,
  encode: (point) => point.secret,
  decode: (data) => new Point(data),
});

it('brings instances back as instances, anywhere in a value', () => {
  const decoded = roundTrip({
    list: [new Point(1)],
    map: new Map([[new Point(2), new Set([new Point(3)])]]),
    error: Object.assign(new Error('x'), { at: new Point(4) }),
  });
  expect(decoded.list[0]).toBeInstanceOf(Point);
  expect(decoded.list[0]?.secret).toBe(1);
  const [key, members] = [...decoded.map][0]!;
  expect([key.secret, [...members][0]?.secret, decoded.error.at.secret]).toEqual([2, 3, 4]);
  expect(roundTrip(new Point('root')).secret).toBe('root');
});

it('keeps one instance that is met twice one instance', () => {
  const point = new Point(1);
  const [a, b] = roundTrip([point, { deeper: point }] as const);
  expect(a).toBe(b.deeper);
});

it('lets codec data hold instances, futures, bytes and shared objects, complete when it is decoded', () => {
  const shared = { bytes: new Float64Array([1]), when: new Date(0) };
  const future = new (class Future {
    readonly id = 1;
  })();
  const value = [new Point({ inner: new Point([shared, future]) }), shared];
  const payload = encodeValue(value, { dependencyIndexOf: (each) => (each === future ? 0 : undefined) });
  const [outer, again] = decodeValue(payload, { dependencies: [undefined] }) as [Point, typeof shared];
  const inner = (outer.secret as { inner: Point }).inner;
  expect(inner).toBeInstanceOf(Point);
  expect((inner.secret as unknown[])[0]).toBe(again);
  expect((inner.secret as unknown[])[1]).toBeUndefined();
  expect(again.bytes).toEqual(new Float64Array([1]));
});

it('finishes an instance before a container that both hold it and are held by it', () => {
  const container: { point?: Point } = {};
  container.point = new Point(container);
  const decoded = roundTrip(container);
  expect(decoded.point).toBeInstanceOf(Point);
  expect(decoded.point?.secret).toBe(decoded);
});

it('keeps 10,000 instances within one another', () => {
  let point = new Point('bottom');
  for (let level = 0; level < 10_000; level++) point = new Point(point);
  let decoded = roundTrip(point);
  for (let level = 0; level < 10_000; level++) decoded = decoded.secret as Point;
  expect(decoded.secret).toBe('bottom');
});

it('uses the codec of the nearest registered class', () => {
  class Sub extends Point {}
  expect(roundTrip(new Sub(1))).toBeInstanceOf(Point);
  registerCodec({ name: 'Sub', type: Sub, encode: (sub) => sub.secret, decode: (data) => new Sub(data) });
  expect(roundTrip(new Sub(1))).toBeInstanceOf(Sub);
});

it('may take over classes that would travel by themselves', () => {
  class Celsius extends Float32Array {}
  class AppError extends Error {
    extra = 1;
  }
  registerCodec({
    name: 'Celsius',
    type: Celsius,
    encode: (c) => [...c],
    decode: (d) => new Celsius(d as number[]),
  });
  registerCodec({
    name: 'AppError',
    type: AppError,
    encode: (e) => e.message,
    decode: (m) => new AppError(m as string),
  });
  const [celsius, error] = roundTrip([new Celsius([1]), new AppError('x')] as const);
  expect(celsius).toBeInstanceOf(Celsius);
  expect(error).toBeInstanceOf(AppError);
});

it('refuses an instance whose data leads back to it, by its path', () => {
  const holder: unknown[] = [];
  const point = new Point(holder);
  holder.push(point);
  expect(() => encodeValue({ a: [point] })).toThrow(ValueNotEncodableError);
  expect(() => encodeValue({ a: [point] })).toThrow("value.a[0] refers to itself through its codec 'Point'");
});

it('names a codec that is not registered where the value is decoded', () => {
  const name = 'Point';
  const { data } = encodeValue([new Point(1)]);
  const at = Buffer.from(data).indexOf(name);
  const renamed = Uint8Array.from(data);
  renamed.set(Buffer.from('Joint'), at);
  const decode = (): unknown => decodeValue({ encoding: 'v8', data: renamed });
  expect(decode).toThrow(ValueNotDecodableError);
  expect(decode).toThrow("codec 'Joint', which is not registered here");
});

it('reports a codec that throws: while encoding with the path, while decoding with the name', () => {
  class Moody {
    readonly mood = 'bad';
  }
  registerCodec({
    name: 'Moody',
    type: Moody,
    encode: (): unknown => {
      throw new Error('not today');
    },
    decode: () => new Moody(),
  });
  expect(() => encodeValue({ x: new Moody() })).toThrow('value.x cannot be read: not today');
  class Brittle {
    readonly strength = 0;
  }
  registerCodec({
    name: 'Brittle',
    type: Brittle,
    encode: () => 1,
    decode: (): Brittle => {
      throw new Error('broke');
    },
  });
  const payload = encodeValue([new Brittle()]);
  expect(() => decodeValue(payload)).toThrow(ValueNotDecodableError);
  expect(() => decodeValue(payload)).toThrow("Codec 'Brittle' could not decode its data: Error: broke");
});

it('names the path into codec data', () => {
  expect(() => encodeValue([new Point({ f: () => 1 })])).toThrow('value[0]<Point>.f is a function');
});

it('refuses a codec without a name or for no class', () => {
  const rest = { encode: () => 1, decode: () => new Point(1) };
  expect(() => registerCodec({ name: '', type: Point, ...rest })).toThrow(InvalidArgumentError);
  expect(() => registerCodec({ name: 'All', type: Object as never, ...rest })).toThrow(InvalidArgumentError);
});
