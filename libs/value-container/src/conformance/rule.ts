/** One thing that every container keeps, and what the rules share to find out. */
import type { ManualEviction, ValueContainer } from '../value-container.js';

/** What a rule may know of how it is run. */
export interface Bounds {
  /** Size of a value that counts as large. */
  readonly largeBytes: number;
}

/** A rule is tried on a new container of its own. It rejects, with a sentence, when it finds itself broken. */
export interface Rule {
  readonly sentence: string;
  /** Default: all containers. */
  readonly appliesTo?: (container: ValueContainer) => boolean;
  check(container: ValueContainer, bounds: Bounds): Promise<void>;
}

export interface EvictionRule {
  readonly sentence: string;
  check(container: ValueContainer & ManualEviction): Promise<void>;
}

/** The message says what was seen. */
export class BrokenRule extends Error {}

export function expect(condition: boolean, found: string): asserts condition {
  if (!condition) throw new BrokenRule(found);
}

/** Looked up once: within a `vm` context, as test frameworks use, each look at a global is a call. */
const { imul } = Math;

/** Bytes that differ by place and by seed, so that neither a shift nor another key's bytes look the same. */
export function patternBytes(count: number, seed = 1, into: Uint8Array = new Uint8Array(count)): Uint8Array {
  let state = (seed * 2_654_435_761) | 1;
  for (let at = 0; at < count; at++) {
    state = (imul(state, 1_103_515_245) + 12_345) | 0;
    into[at] = state >>> 16;
  }
  return into;
}

/** Of any realm, unlike `instanceof`; a Node `Buffer` is one. */
const isBytes = (value: unknown): value is Uint8Array =>
  ArrayBuffer.isView(value) && Reflect.get(value, Symbol.toStringTag) === 'Uint8Array';

/** Rejects unless the key holds exactly these bytes. */
export async function expectValue(container: ValueContainer, key: string, bytes: Uint8Array): Promise<void> {
  expectSame(await container.get(key), bytes, key);
}

export function expectSame(value: unknown, bytes: Uint8Array, key: string): void {
  const of = `get of ${keyText(key)}`;
  expect(value !== undefined, `${of} gave undefined, but ${bytes.byteLength} bytes had been set.`);
  expect(
    isBytes(value),
    `${of} gave ${typeof value === 'object' ? 'an object' : typeof value}, no Uint8Array.`,
  );
  expect(
    value.byteLength === bytes.byteLength,
    `${of} gave ${value.byteLength} bytes, but ${bytes.byteLength} had been set.`,
  );
  const at = firstDifference(value, bytes);
  expect(at === undefined, `${of} gave other bytes than had been set, from byte ${at ?? 0} on.`);
}

/** Where two arrays of one length differ first. A plain loop: callbacks would take seconds for a large value. */
export function firstDifference(left: Uint8Array, right: Uint8Array): number | undefined {
  for (let at = 0; at < left.byteLength; at++) if (left[at] !== right[at]) return at;
  return undefined;
}

export async function expectNothing(container: ValueContainer, key: string): Promise<void> {
  const value: unknown = await container.get(key);
  const what = value === null ? 'null' : isBytes(value) ? `${value.byteLength} bytes` : typeof value;
  expect(
    value === undefined,
    `get of ${keyText(key)} gave ${what}, but there is no value: undefined says so.`,
  );
}

/** Rejects unless these are its keys, each once, and as many as it counts. */
export async function expectKeys(container: ValueContainer, expected: readonly string[]): Promise<void> {
  const found = await keysOf(container);
  const missing = expected.find((key) => !found.includes(key));
  expect(missing === undefined, `keys() does not give ${keyText(missing ?? '')}, which had been set.`);
  const extra = found.find((key, index) => !expected.includes(key) || found.indexOf(key) !== index);
  expect(extra === undefined, `keys() gives ${keyText(extra ?? '')}, which it should not, or not twice.`);
  const count: unknown = await container.count();
  expect(count === expected.length, `count() says ${String(count)}, but there are ${expected.length} keys.`);
}

async function keysOf(container: ValueContainer): Promise<string[]> {
  const found: string[] = [];
  for await (const key of container.keys()) found.push(key);
  return found;
}

const SHOWN_LENGTH_MAX = 24;

/** Short, and readable for keys of control characters. */
export function keyText(key: string): string {
  const shown = JSON.stringify(key.slice(0, SHOWN_LENGTH_MAX));
  return key.length > SHOWN_LENGTH_MAX ? `${shown}… (${key.length} long)` : shown;
}
