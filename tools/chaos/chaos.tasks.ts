/** What the chaos workload lets workers do. Everything follows from its arguments, so that the tool can compute it too. */
import { appendFileSync } from 'node:fs';
import { currentTask } from '@spillway/client';

/** Numbers of a linear congruential generator: every byte follows from the seed, and no compressor makes them smaller. */
export function pattern(seed: number, bytes: number): Uint32Array {
  const values = new Uint32Array(bytes / 4);
  let state = (seed ^ 0x9e3779b9) >>> 0;
  for (let at = 0; at < values.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    values[at] = state ^ (state >>> 15);
  }
  return values;
}

/** Leaves a line in a file for each time that it ran. */
export function patternNoted(path: string, line: string, seed: number, bytes: number): Uint32Array {
  appendFileSync(path, `${line}\n`);
  return pattern(seed, bytes);
}

/** Each number from all parts, so that a wrong bit in any of them is one in the result; their order matters too. */
export function mix(parts: readonly Uint32Array[]): Uint32Array {
  const mixed = new Uint32Array(parts[0]!.length);
  for (const part of parts)
    for (let at = 0; at < mixed.length; at++) mixed[at] = Math.imul(mixed[at]! ^ part[at]!, 0x85ebca6b) + at;
  return mixed;
}

/** Whether these are exactly the numbers of the seed. */
export function isPattern(values: Uint32Array, seed: number): boolean {
  const expected = pattern(seed, values.byteLength);
  return values.every((value, at) => value === expected[at]);
}

/** Of several kinds of fields, some hundred bytes to some KiB. */
export function record(seed: number): {
  readonly id: number;
  readonly name: string;
  readonly at: Date;
  readonly big: bigint;
  readonly tags: ReadonlyMap<string, number>;
  readonly parts: readonly number[];
} {
  const numbers = [...pattern(seed, 4 * (20 + (seed % 400)))];
  return {
    id: seed,
    name: `record ${numbers[0]}`,
    at: new Date(1_500_000_000_000 + numbers[1]!),
    big: BigInt(numbers[2]!) * BigInt(numbers[3]!),
    tags: new Map(numbers.slice(4, 10).map((value, index) => [`t${index}`, value])),
    parts: numbers,
  };
}

export function describe(one: ReturnType<typeof record>): string {
  const total = one.parts.reduce((sum, value) => (sum + value) >>> 0, 0);
  return `${one.name} ${one.at.toISOString()} ${one.big} ${[...one.tags.values()].join()} ${total}`;
}

export const join = (texts: readonly string[]): string => texts.join('\n');

export class ExpectedError extends Error {
  override name = 'ExpectedError';
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
  }
}

export function refuse(seed: number): never {
  throw new ExpectedError(`refused ${seed}`, `E_${seed}`);
}

export function failTimes(times: number): string {
  if (currentTask().attempt <= times) throw new Error('not yet');
  return 'recovered';
}

export function spin(): never {
  for (;;);
}

export const length = (text: string): number => text.length;

/** Memory bombs: they grow until somebody ends them. */
export function growFast(): never {
  const kept: Buffer[] = [];
  for (;;) kept.push(Buffer.alloc(4 * 1024 * 1024, 1 + kept.length));
}

export function growHeap(): never {
  const kept: object[] = [];
  for (;;) kept.push({ text: `${kept.length}`.padStart(100, 'x'), list: [kept.length, kept.length + 1] });
}

export async function growSlowly(): Promise<never> {
  const kept: Buffer[] = [];
  for (;;) {
    kept.push(Buffer.alloc(4 * 1024 * 1024, 1 + kept.length));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
