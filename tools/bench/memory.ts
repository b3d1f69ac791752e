/** Issue-sized loads on workers that are much smaller than the data: what they take in time, disk, memory and loop delay. */
import type { Client, Future } from '@spillway/client';
import type { Figure } from './bench.js';
import { MISHAPS } from './memory-mishaps.js';
import { timedMs } from './statistics.js';
import { groupsOf, range, told } from './told.js';
import {
  freshReadings,
  loadTasks,
  phaseFigures,
  WatchedCluster,
  type MemoryTasks,
} from './watched-cluster.js';

const LIMIT = '512 MiB';
/** Nothing here takes longer when it works: what is not done by then is told as not done. */
const WAIT = '120s';
const ARRAY_COUNT = 40;
const ARRAY_BYTES = 50_000_000;
const SMALL_COUNT = 200_000;
const SMALL_BYTES = 4096;
const FAN_IN = 100;
/** 10,000 records are some 0.96 MB when they are encoded. */
const RECORD_ARRAY_COUNT = 1300;
const PRODUCED_COUNT = 150;
const PRODUCED_BYTES = 20_000_000;

/** `npm run bench -- memory`. What an error ended is a figure too: of how long it took, and which error. */
export async function* memoryUnderLoad(): AsyncGenerator<Figure> {
  for (const part of MEMORY_PARTS) yield* await part();
}

export const MEMORY_PARTS: readonly (() => Promise<readonly Figure[]>)[] = [
  () => onTwoWorkers(`${ARRAY_COUNT} × ${ARRAY_BYTES / 1e6} MB arrays`, { make: arrays, reduce: sums }),
  () => onTwoWorkers(`${SMALL_COUNT / 1000},000 × 4 KiB values`, { make: small, reduce: tree }),
  () => onTwoWorkers(`${RECORD_ARRAY_COUNT} × 10,000 records`, { make: rows, reduce: amounts }),
  () => told('a producer faster than the disk', producer),
  ...MISHAPS,
];

interface Load<T> {
  readonly make: (client: Client, tasks: MemoryTasks) => Future<T>[];
  readonly reduce: (client: Client, tasks: MemoryTasks, made: Future<T>[]) => Future<number>;
}

function arrays(client: Client, { numbers }: MemoryTasks): Future<Float64Array>[] {
  const seeds = range(ARRAY_COUNT);
  return client.map(
    numbers,
    seeds,
    seeds.map(() => ARRAY_BYTES),
  );
}

function sums(client: Client, { sum, total }: MemoryTasks, made: Future<Float64Array>[]): Future<number> {
  return client.submit(total, client.map(sum, made));
}

function small(client: Client, { numbers }: MemoryTasks): Future<Float64Array>[] {
  const seeds = range(SMALL_COUNT);
  return client.map(
    numbers,
    seeds,
    seeds.map(() => SMALL_BYTES),
  );
}

function tree(client: Client, { ends, total }: MemoryTasks, made: Future<Float64Array>[]): Future<number> {
  let level: Future<number>[] = client.map(ends, groupsOf(FAN_IN, made));
  while (level.length > 1) level = client.map(total, groupsOf(FAN_IN, level));
  return level[0]!;
}

function rows(client: Client, { records }: MemoryTasks): Future<object[]>[] {
  return client.map(records, range(RECORD_ARRAY_COUNT));
}

function amounts(
  client: Client,
  { amounts: amountsOf, total }: MemoryTasks,
  made: Future<object[]>[],
): Future<number> {
  return client.submit(total, client.map(amountsOf, made as never));
}

/** Made, all held by the client, then every one read back and reduced to a number. */
function onTwoWorkers<T>(what: string, { make, reduce }: Load<T>): Promise<readonly Figure[]> {
  return told(what, async () => {
    await using watched = await WatchedCluster.start({ workers: 2, memoryLimit: LIMIT });
    const { client } = watched;
    const tasks = await loadTasks(client);
    await watched.phase();
    let made: Future<T>[] = [];
    const figures: Figure[] = [];
    const makeMs = await timedMs(async () => {
      made = make(client, tasks);
      await client.wait(made, { timeout: WAIT });
    });
    await assertFinished(made);
    await freshReadings();
    figures.push(...phaseFigures(`${what}: make`, makeMs, await watched.phase()));
    const reduceMs = await timedMs(() => reduce(client, tasks, made).result({ timeout: WAIT }));
    await freshReadings();
    figures.push(...phaseFigures(`${what}: reduce`, reduceMs, await watched.phase()));
    figures.push(...(await watched.peaks(what)));
    return [...figures, ended(what, watched.endedCount, await watched.troubles())];
  });
}

async function assertFinished(futures: readonly Future<unknown>[]): Promise<void> {
  const error = await futures.find(({ status }) => status !== 'finished')?.exception({ timeout: WAIT });
  if (error !== undefined) throw error;
}

/** Four slots make arrays that nobody takes, as fast as they can. */
async function producer(): Promise<readonly Figure[]> {
  const what = `${PRODUCED_COUNT} × ${PRODUCED_BYTES / 1e6} MB by 4 slots of one worker`;
  await using watched = await WatchedCluster.start({ workers: 1, nthreads: 4, memoryLimit: LIMIT });
  const { client } = watched;
  const { numbers } = await loadTasks(client);
  await watched.phase();
  const seeds = range(PRODUCED_COUNT);
  const sizes = seeds.map(() => PRODUCED_BYTES);
  const ms = await timedMs(() => client.wait(client.map(numbers, seeds, sizes), { timeout: WAIT }));
  await freshReadings();
  return [
    ...phaseFigures(`${what}: make`, ms, await watched.phase()),
    ...(await watched.peaks(what)),
    ended(what, watched.endedCount, await watched.troubles()),
  ];
}

const ended = (what: string, count: number, how: string): Figure => ({
  what: `${what}: ended`,
  value: count,
  unit: 'workers',
  how,
});
