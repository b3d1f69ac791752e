/**
 * Two workers compute how weather stations go together; on one of them a task leaves a leak behind. Told is what the worker
 * does about it, and that the computation does not notice.
 */
import { isDeepStrictEqual } from 'node:util';
import { LocalCluster, type Client } from '@spillway/client';
import { computeInOneProcess, correlationsAt, type Size } from './correlations.js';
import type * as Tasks from './stations.tasks.js';
import { StoryTeller, type Turn } from './story.js';

export interface StoryOptions {
  readonly size: Size;
  /** Bytes that leak each second. */
  readonly leakBytesPerSecond: number;
  /** Called with each line as it comes. */
  readonly tell: (seconds: number, text: string) => void;
  readonly signal?: AbortSignal;
}

export interface StoryOutcome {
  /** The turns that memory took, in their order. */
  readonly turns: readonly Turn[];
  readonly lagCount: number;
  readonly correlationCount: number;
  /** The cluster's answer is that of one process, bit for bit. */
  readonly isRight: boolean;
  /** How often the scheduler had results computed again that were lost. */
  readonly recomputedCount: number;
}

const MEMORY_LIMIT = '256 MiB';
const LEAK_STEP_MS = 20;
const LOOK_MS = 500;
/** Lags that are computed in any case; more, until the story is over. */
const LAGS_MIN = 3;
const LAGS_MAX = 500;

export async function tellMemoryPressure(options: StoryOptions): Promise<StoryOutcome> {
  const { size, tell } = options;
  const signal = options.signal ?? new AbortController().signal;
  const startedAt = performance.now();
  const say = (text: string): void => tell((performance.now() - startedAt) / 1000, text);
  const turns: Turn[] = [];
  let isComputing = false;
  const story = new StoryTeller((told) => {
    if (!isComputing) return;
    turns.push(told.turn);
    say(told.text);
  });
  await using cluster = await LocalCluster.start({
    workers: 2,
    nthreads: 2,
    memoryLimit: MEMORY_LIMIT,
    logLevel: 'info',
    onLog: (text) => story.add(text),
    signal,
  });
  await using client = await cluster.connect();
  say(`Two workers are up, with ${MEMORY_LIMIT} each.`);
  isComputing = true;
  const lags = await computeUnderPressure(client, { ...options, signal, say, turns });
  isComputing = false;
  say(`${lags.length} lags are computed. Now the same in one process, to compare …`);
  const isRight = isDeepStrictEqual(lags, computeInOneProcess(size, lags.length));
  const correlationCount = lags.flat().length;
  say(
    isRight
      ? `All ${correlationCount} correlations are those of one process, bit for bit.`
      : 'THE ANSWER IS WRONG.',
  );
  const recomputedCount = turns.filter((turn) => turn === 'recompute').length;
  return { turns, lagCount: lags.length, correlationCount, isRight, recomputedCount };
}

interface Pressure extends StoryOptions {
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  readonly turns: readonly Turn[];
}

async function computeUnderPressure(
  client: Client,
  { size, leakBytesPerSecond, signal, say, turns }: Pressure,
): Promise<readonly (readonly number[])[]> {
  const { readStation, correlate, warmUpCache } = await client.load<typeof Tasks>(
    new URL('./stations.tasks.ts', import.meta.url),
  );
  const stations = Array.from({ length: size.stations }, (_, station) => station);
  const readings = client.map(
    readStation,
    stations,
    stations.map(() => size.hours),
  );
  await client.wait(readings, { signal });
  say(`${size.stations} stations are read, ${mebibytes(8 * size.hours)} each, and held by the workers.`);
  const watch = new MemoryLooks(client, say);
  const lags: (readonly number[])[] = [];
  const isOver = (): boolean => turns.includes('back');
  while (lags.length < LAGS_MIN || (!isOver() && lags.length < LAGS_MAX)) {
    lags.push(await correlationsAt(lags.length, readings, { client, correlate, signal }));
    if (lags.length > 1) continue;
    say('The first lag is computed. Now a task warms up a cache that nobody empties …');
    const [victim] = await client.workers();
    const bytesAtATime = (leakBytesPerSecond * LEAK_STEP_MS) / 1000;
    using leak = client.with({ workers: [victim!.name] }).submit(warmUpCache, bytesAtATime, LEAK_STEP_MS);
    await client.wait([leak], { signal });
    watch.begin(victim!.name);
  }
  await watch.stop();
  client.release(readings);
  return lags;
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** Tells how a worker's memory stands, twice a second, as long as that changes. */
class MemoryLooks {
  #looking: Promise<void> | undefined;
  #isStopped = false;

  constructor(
    private readonly client: Client,
    private readonly say: (text: string) => void,
  ) {}

  begin(workerName: string): void {
    this.#looking = this.#look(workerName).catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#looking;
  }

  async #look(workerName: string): Promise<void> {
    let last = '';
    while (!this.#isStopped) {
      const worker = (await this.client.memory()).workers.find(({ name }) => name === workerName);
      const text =
        worker === undefined
          ? `${workerName} is not there`
          : `${workerName} is ${worker.status}: process ${mebibytes(worker.processBytes)}, of that ` +
            `${mebibytes(worker.managedBytes)} values; ${mebibytes(worker.spilledBytes)} on disk`;
      if (text !== last) this.say(`  ${text}`);
      last = text;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}
