import * as fc from 'fast-check';
import { decodeValue } from './decode-value.js';
import { encodeValue } from './encode-value.js';
import { firstDifference } from './testing/same-graph.js';

const roundTrip = (value: unknown, shared = false): unknown => decodeValue(encodeValue(value, { shared }));

const anything = fc.anything({
  key: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '$dependency', 'toJSON', '0')),
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withSparseArray: true,
  withTypedArray: true,
  stringUnit: 'binary',
  maxDepth: 4,
} as fc.ObjectConstraints);

/** A node of a random graph: what it is, and what its fields refer to (numbers: other nodes). */
interface Plan {
  readonly kind:
    'array' | 'object' | 'map' | 'mapKeys' | 'set' | 'error' | 'aggregate' | 'buffer' | 'shared' | 'view';
  readonly children: readonly number[];
  readonly leaf: unknown;
  readonly range: readonly [number, number];
}

const plan: fc.Arbitrary<Plan> = fc.record({
  kind: fc.constantFrom<Plan['kind'][]>(
    'array',
    'object',
    'map',
    'mapKeys',
    'set',
    'error',
    'aggregate',
    'buffer',
    'shared',
    'view',
  ),
  children: fc.array(fc.nat(30), { maxLength: 4 }),
  leaf: fc.anything({ maxDepth: 1, withDate: true, withBigInt: true }),
  range: fc.tuple(fc.nat(40), fc.nat(24)),
});

function make({ kind, range: [start, size] }: Plan, pool: ArrayBuffer): object {
  switch (kind) {
    case 'array':
      return [];
    case 'object':
      return {};
    case 'map':
    case 'mapKeys':
      return new Map();
    case 'set':
      return new Set();
    case 'error':
      return new RangeError('too much');
    case 'aggregate':
      return new AggregateError([], 'several');
    case 'buffer':
      return pool;
    case 'shared':
      return new SharedArrayBuffer(size);
    case 'view':
      return new Uint8Array(pool, start, size);
  }
}

function connect(node: object, { kind, children, leaf }: Plan, nodes: readonly object[]): void {
  const others = children.map((child) => nodes[child % nodes.length]!);
  if (kind === 'array') (node as unknown[]).push(leaf, ...others);
  if (kind === 'object')
    Object.assign(node, { leaf, ...Object.fromEntries(others.map((other, i) => [`f${i}`, other])) });
  if (kind === 'map') others.forEach((other, i) => (node as Map<unknown, unknown>).set(i, other));
  if (kind === 'mapKeys') others.forEach((other, i) => (node as Map<unknown, unknown>).set(other, i));
  if (kind === 'set') others.forEach((other) => (node as Set<unknown>).add(other));
  if (kind === 'error') Object.assign(node, { code: 'E', cause: others[0], extra: leaf });
  if (kind === 'aggregate') Object.assign(node, { errors: others });
}

const graph = fc.array(plan, { minLength: 1, maxLength: 25 }).map((plans) => {
  const pool = new Uint8Array(64).map((_, index) => index).buffer;
  const nodes = plans.map((each) => make(each, pool));
  nodes.forEach((node, index) => connect(node, plans[index]!, nodes));
  return nodes[0]!;
});

it('gives back any value as it was', () => {
  fc.assert(
    fc.property(anything, fc.boolean(), (value, shared) => {
      expect(firstDifference(value, roundTrip(value, shared))).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
});

it('gives back any graph with its cycles, shared references, errors and buffers', () => {
  fc.assert(
    fc.property(graph, (value) => {
      expect(firstDifference(value, roundTrip(value))).toBeUndefined();
    }),
    { numRuns: 1500 },
  );
});

it('gives back any graph with futures anywhere in it', () => {
  fc.assert(
    fc.property(graph, fc.array(anything, { minLength: 3, maxLength: 3 }), (value, results) => {
      const futures: readonly object[] = results.map(
        () =>
          new (class Future {
            readonly id = 1;
          })(),
      );
      const withFutures = [
        futures[0],
        { at: futures[1], value },
        new Map([[futures[2], new Set([futures[0]])]]),
      ];
      const expected = [
        results[0],
        { at: results[1], value },
        new Map([[results[2], new Set([results[0]])]]),
      ];
      const payload = encodeValue(withFutures, {
        dependencyIndexOf: (each) => {
          const index = futures.indexOf(each);
          return index < 0 ? undefined : index;
        },
      });
      expect(firstDifference(expected, decodeValue(payload, { dependencies: results }))).toBeUndefined();
    }),
    { numRuns: 500 },
  );
});

it('leaves the value untouched by encoding it', () => {
  fc.assert(
    fc.property(graph, (value) => {
      const before = roundTrip(value);
      encodeValue(value);
      expect(firstDifference(before, value)).toBeUndefined();
    }),
    { numRuns: 200 },
  );
});
