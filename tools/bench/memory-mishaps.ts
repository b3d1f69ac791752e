/** Tasks that do to a worker's memory what they should not: what comes of it, for them and for the worker. */
import type { Client, Future } from '@spillway/client';
import { aboutBytes } from '@spillway/kernel';
import type { Figure } from './bench.js';
import { timedMs } from './statistics.js';
import { describeError, range, told } from './told.js';
import { freshReadings, loadTasks, WatchedCluster } from './watched-cluster.js';

const MiB = 2 ** 20;
const GiB = 2 ** 30;
const SMALL_LIMIT_BYTES = 256 * MiB;
/** Until memory that was dropped has to be back. */
const BACK_MS = 3000;
const BACK_FACTOR = 1.15;
const WAIT = '60s';
/** Readings that are a moment old at the most. */
const OFTEN = { 'worker.memory.monitor-interval': '100ms', 'scheduler.heartbeat-interval': '200ms' };

export const MISHAPS: readonly (() => Promise<readonly Figure[]>)[] = [
  () => told('1 GiB received and dropped', received),
  () => told('a task that leaks', leak),
  () => told('a value larger than the limit', largerThanLimit),
  () => told('inputs larger than the limit', inputsLargerThanLimit),
  () => told('a worker is killed with 1 GiB on disk', killed),
];

async function received(): Promise<readonly Figure[]> {
  await using watched = await WatchedCluster.start({ workers: 1, memoryLimit: '2 GiB', settings: OFTEN });
  const { client } = watched;
  const { receive } = await loadTasks(client);
  await client.submit(receive, MiB).result();
  await freshReadings();
  const { processBytes: baselineBytes } = (await client.memory()).total;
  await client.submit(receive, GiB).result({ timeout: WAIT });
  const doneAt = performance.now();
  const backMs = await timedMs(() => untilBelow(client, baselineBytes * BACK_FACTOR, doneAt + 10 * BACK_MS));
  const [worker] = (await client.memory()).workers;
  return [
    {
      what: '1 GiB in 64 KiB pieces dropped: within 15 % after',
      value: backMs / 1000,
      unit: 's',
      how:
        `baseline ${aboutBytes(baselineBytes)}, peak ${aboutBytes(worker!.processPeakBytes)}, now ${aboutBytes(worker!.processBytes)} ` +
        `(${(worker!.processBytes / baselineBytes).toFixed(2)} of it); ${await watched.troubles()}`,
    },
  ];
}

async function untilBelow(client: Client, bytes: number, untilMs: number): Promise<void> {
  while (performance.now() < untilMs && (await client.memory()).total.processBytes > bytes)
    await new Promise((resolve) => setTimeout(resolve, 100));
}

/** What its successor takes over, how soon, and what has to be computed again. */
async function killed(): Promise<readonly Figure[]> {
  await using watched = await WatchedCluster.start({
    workers: 1,
    memoryLimit: SMALL_LIMIT_BYTES,
    settings: OFTEN,
  });
  const { client } = watched;
  const { numbers, ends } = await loadTasks(client);
  const seeds = range(290);
  const values = client.map(
    numbers,
    seeds,
    seeds.map(() => 4 * MiB),
  );
  await client.wait(values);
  await freshReadings();
  const { spilledBytes, managedBytes } = (await client.memory()).total;
  const [pid] = (await client.run(() => process.pid)).values();
  const there = watched.count('worker', 'worker.ready');
  process.kill(pid!, 'SIGKILL');
  const backMs = await timedMs(async () => {
    while (watched.count('worker', 'worker.ready') === there)
      await new Promise((resolve) => setTimeout(resolve, 10));
  });
  const allMs = await timedMs(() => client.gather(seeds.map((seed) => client.submit(ends, [values[seed]!]))));
  const [adopted] = watched.lines('worker', 'worker.adopted');
  const recomputed = watched
    .lines('scheduler', 'task.recomputed')
    .reduce((sum, { count }) => sum + Number(count), 0);
  return [
    {
      what: 'a worker killed: its successor registered',
      value: backMs / 1000,
      unit: 's',
      how:
        `with ${String(adopted?.['count'])} of ${seeds.length} values of 4 MiB, found in ${String(adopted?.['durationMs'])} ms; ` +
        `${aboutBytes(spilledBytes)} were on disk, ${aboutBytes(managedBytes)} in RAM`,
    },
    {
      what: '… each of them used by a task',
      value: allMs / 1000,
      unit: 's',
      how: `${recomputed} computed again`,
    },
  ];
}

/** To beyond pause, and then a task that has nothing to do with it: what becomes of it, and when. */
function leak(): Promise<readonly Figure[]> {
  return onSmallWorkers('a task leaks to 0.88 of the limit; the next one', 1, async (client) => {
    const { leakUntil, nothing } = await loadTasks(client);
    const leaky = client.submit(leakUntil, 0.88 * SMALL_LIMIT_BYTES);
    await leaky.result({ timeout: WAIT });
    // Held, it would be computed again on the fresh worker.
    leaky.release();
    await freshReadings();
    return client.submit(nothing);
  });
}

function largerThanLimit(): Promise<readonly Figure[]> {
  return onSmallWorkers('a value of 320 MiB on workers of 256 MiB', 2, async (client) => {
    const { numbers } = await loadTasks(client);
    return client.submit(numbers, 1, 320 * MiB);
  });
}

function inputsLargerThanLimit(): Promise<readonly Figure[]> {
  return onSmallWorkers('24 inputs of 16 MiB on workers of 256 MiB', 2, async (client) => {
    const { numbers, ends } = await loadTasks(client);
    const seeds = range(24);
    const inputs = client.map(
      numbers,
      seeds,
      seeds.map(() => 16 * MiB),
    );
    await client.wait(inputs, { timeout: WAIT });
    return client.submit(ends, inputs);
  });
}

/** How the future that `act` gives comes out, and what that cost. */
async function onSmallWorkers(
  what: string,
  workers: number,
  act: (client: Client) => Promise<Future<unknown>>,
): Promise<readonly Figure[]> {
  await using watched = await WatchedCluster.start({ workers, memoryLimit: SMALL_LIMIT_BYTES });
  const { client } = watched;
  const future = await act(client);
  let outcome = '';
  const ms = await timedMs(async () => {
    try {
      await client.wait([future], { timeout: WAIT });
      const error = await future.exception({ timeout: WAIT });
      outcome = error === undefined ? 'a value' : describeError(error);
    } catch (error) {
      outcome = `NOT DONE: ${describeError(error)}`;
    }
  });
  const peakBytes = Math.max(...(await client.memory()).workers.map((worker) => worker.processPeakBytes));
  const how = `${outcome}; ${await watched.troubles()}; killed ${watched.count('nanny', 'worker.killed')}, peak of those there ${aboutBytes(peakBytes)}`;
  return [{ what, value: ms / 1000, unit: 's', how }];
}
