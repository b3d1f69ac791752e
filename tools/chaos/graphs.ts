/**
 * The kinds of graphs that are run while things go wrong. Each knows its right answer from its seed alone, throws `WrongValue`
 * when it gets another one, and lets every other failure through. What it has submitted it releases.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { repeat, type Client, type Future, type Handles } from '@spillway/client';
import type { SeededRandom } from '@spillway/kernel';
import * as local from './chaos.tasks.js';

export type ChaosTasks = Handles<typeof local>;

export interface GraphRun {
  readonly client: Client;
  readonly tasks: ChaosTasks;
  readonly random: SeededRandom;
  /** Every wait of a graph ends after this time: it hangs. */
  readonly timeoutMs: number;
  /** A folder for what tasks note. */
  readonly folder: string;
  /** A name for this run of the graph, of its own. */
  readonly name: string;
  /** So many values were compared, and right. */
  readonly verified: (count: number) => void;
  /** Tasks with a side effect have run; one of them so often, which is the most. */
  readonly ran: (most: number) => void;
  /** What is waited for at the moment, for when it does not come. */
  readonly waitsFor: (futures: readonly Future<unknown>[]) => void;
}

/** A value is not what it has to be, or an error came where none belongs, or another one. */
export class WrongValue extends Error {
  override name = 'WrongValue';
}

export const GRAPHS: Readonly<Record<string, (run: GraphRun) => Promise<void>>> = {
  reduction,
  small: smallValues,
  big: bigValues,
  errors: expectedErrors,
  counted: countedEffects,
};

const KiB = 1024;
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const between = (random: SeededRandom, low: number, high: number): number => low + random.below(high - low);

function expectSame(what: string, actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) throw new WrongValue(`${what} is not what it has to be`);
}

/** A tree of values that are mixed bit by bit; the intermediate ones belong to nobody but the graph. */
async function reduction(run: GraphRun): Promise<void> {
  const { client, tasks, random, timeoutMs } = run;
  const bytes = between(random, 4, 512) * KiB;
  const fanIn = between(random, 2, 5);
  const seeds = range(between(random, 6, 30)).map(() => random.below(2 ** 30));
  const leaves = client.map(tasks.pattern, seeds, repeat(bytes));
  const all: Future<Uint32Array>[] = [...leaves];
  let level: readonly Future<Uint32Array>[] = leaves;
  while (level.length > 1) {
    level = client.map(tasks.mix, grouped(level, fanIn));
    all.push(...level);
  }
  const root = level[0]!;
  client.release(all.filter((future) => future !== root));
  run.waitsFor([root]);
  const result = await root.result({ timeout: timeoutMs });
  let expected = seeds.map((seed) => local.pattern(seed, bytes));
  while (expected.length > 1) expected = grouped(expected, fanIn).map((parts) => local.mix(parts));
  root.release();
  if (Buffer.compare(bytesOf(result), bytesOf(expected[0]!)) !== 0)
    throw new WrongValue(`the root of ${seeds.length} leaves of ${bytes} bytes has other bits`);
  run.verified(seeds.length);
}

const bytesOf = (values: Uint32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

function grouped<T>(items: readonly T[], size: number): T[][] {
  return range(Math.ceil(items.length / size)).map((index) => items.slice(index * size, (index + 1) * size));
}

/** Many values of several kinds of fields, each brought here, and what was made of them. */
async function smallValues(run: GraphRun): Promise<void> {
  const { client, tasks, random, timeoutMs } = run;
  const seeds = range(between(random, 50, 250)).map(() => random.below(2 ** 20));
  const records = client.map(tasks.record, seeds);
  const texts = client.map(tasks.describe, records);
  const joined = client.submit(tasks.join, texts);
  const all = [...records, ...texts, joined];
  run.waitsFor(all);
  try {
    expectSame(
      'the joined text',
      await joined.result({ timeout: timeoutMs }),
      seeds.map((seed) => local.describe(local.record(seed))).join('\n'),
    );
    expectSame(
      'a record',
      await client.gather(records, { timeout: timeoutMs }),
      seeds.map((seed) => local.record(seed)),
    );
    run.verified(2 * seeds.length + 1);
  } finally {
    client.release(all);
  }
}

/** Values that are held until all are there, more than workers keep in RAM, so that they are spilled and read back. */
async function bigValues(run: GraphRun): Promise<void> {
  const { client, tasks, random, timeoutMs } = run;
  const bytes = between(random, 2, 9) * 1024 * KiB;
  const seeds = range(between(random, 6, 20)).map(() => random.below(2 ** 30));
  const values = client.map(tasks.pattern, seeds, repeat(bytes));
  const checks: Future<boolean>[] = [];
  run.waitsFor(values);
  try {
    await client.wait(values, { timeout: timeoutMs });
    checks.push(...client.map(tasks.isPattern, values, seeds));
    run.waitsFor(checks);
    const flags = await client.gather(checks, { timeout: timeoutMs });
    expectSame(`a value of ${bytes} bytes, by a task,`, flags, repeated(true, seeds.length));
    const at = random.below(seeds.length);
    run.waitsFor([values[at]!]);
    const one = await values[at]!.result({ timeout: timeoutMs });
    if (one.byteLength !== bytes || !local.isPattern(one, seeds[at]!))
      throw new WrongValue(`a value of ${bytes} bytes, brought here, has other bits`);
    run.verified(seeds.length + 1);
  } finally {
    client.release([...values, ...checks]);
  }
}

const repeated = <T>(value: T, count: number): T[] => range(count).map(() => value);

/** Errors are results too: they have to be those that the tasks threw, and come to those that depend on them. */
async function expectedErrors(run: GraphRun): Promise<void> {
  const { client, tasks, random, timeoutMs } = run;
  const seed = random.below(1000);
  const refused = client.submit(tasks.refuse, seed);
  const dependent = client.submit(tasks.length, refused);
  const late = client.with({ timeout: '300ms' }).submit(tasks.spin);
  const recovered = client.with({ retries: 3 }).submit(tasks.failTimes, between(random, 1, 4));
  const all = [refused, dependent, late, recovered];
  run.waitsFor(all);
  try {
    const bound = { timeout: timeoutMs };
    const error = await refused.exception(bound);
    expectSame('the code of a task that threw', error?.code, 'TASK_FAILED');
    const { message, code } = error!.cause as { readonly message?: string; readonly code?: string };
    expectSame('what it threw', { message, code }, { message: `refused ${seed}`, code: `E_${seed}` });
    expectSame(
      'the code of what depends on it',
      (await dependent.exception(bound))?.code,
      'DEPENDENCY_FAILED',
    );
    expectSame('the code of a task without end', (await late.exception(bound))?.code, 'TASK_TIMEOUT');
    expectSame('a task that succeeds in the end', await recovered.result(bound), 'recovered');
    run.verified(4);
  } finally {
    client.release(all);
  }
}

/** Tasks that note each of their runs. */
async function countedEffects(run: GraphRun): Promise<void> {
  const { client, tasks, random, timeoutMs } = run;
  const path = join(run.folder, run.name);
  const bytes = between(random, 2, 200) * KiB;
  const seeds = range(between(random, 10, 40)).map(() => random.below(2 ** 30));
  const lines = seeds.map((_, index) => `${index}`);
  const values = client.map(tasks.patternNoted, repeat(path), lines, seeds, repeat(bytes));
  const checks = client.map(tasks.isPattern, values, seeds);
  run.waitsFor([...values, ...checks]);
  try {
    const flags = await client.gather(checks, { timeout: timeoutMs });
    expectSame(`a value of ${bytes} bytes`, flags, repeated(true, seeds.length));
    const noted = (await readFile(path, 'utf8')).trim().split('\n');
    const runs = lines.map((line) => noted.filter((other) => other === line).length);
    if (Math.min(...runs) === 0) throw new WrongValue('the result of a task that never ran');
    run.ran(Math.max(...runs));
    run.verified(seeds.length);
  } finally {
    client.release([...values, ...checks]);
  }
}
