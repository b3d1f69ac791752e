import { setTimeout } from 'node:timers/promises';
import { LocalCluster, preinstalled, type Client, type LocalClusterOptions } from '@spillway/client';
import { aboutBytes } from '@spillway/kernel';
import type { Figure } from './bench.js';
import type * as Tasks from './memory.tasks.js';

const MiB = 2 ** 20;
const PAUSE_FRACTION = 0.8;

/** What a control loop says of its delays since it was last asked. */
interface LoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Bytes of the disk and delays of the loops, between two looks. */
export interface Phase {
  readonly writtenBytes: number;
  readonly readBytes: number;
  /** The worst of the workers; `undefined` when none could be asked. */
  readonly loopDelay: LoopDelay | undefined;
}

/** A local cluster whose log is counted and whose workers are asked how they did. */
export class WatchedCluster implements AsyncDisposable {
  #log = '';
  #cluster: LocalCluster | undefined;
  #client: Client | undefined;
  #writtenBytes = 0;
  #readBytes = 0;
  #firstIds: readonly string[] = [];

  static async start(options: LocalClusterOptions): Promise<WatchedCluster> {
    const watched = new WatchedCluster();
    watched.#cluster = await LocalCluster.start({
      nthreads: 1,
      validate: false,
      logLevel: 'info',
      onLog: (text) => (watched.#log += text),
      ...options,
    });
    watched.#client = await watched.#cluster.connect();
    watched.#firstIds = (await watched.client.workers()).map(({ workerId }) => workerId);
    return watched;
  }

  get client(): Client {
    return this.#client!;
  }

  /** All that the programs wrote so far. */
  get log(): string {
    return this.#log;
  }

  /** How often programs of this kind said that this happened. */
  count(service: 'scheduler' | 'nanny' | 'worker', event: string): number {
    return [...this.#log.matchAll(new RegExp(`"service":"${service}".*"event":"${event}"`, 'g'))].length;
  }

  /** The fields of what programs of this kind said of this. */
  lines(
    service: 'scheduler' | 'nanny' | 'worker',
    event: string,
  ): readonly Readonly<Record<string, unknown>>[] {
    return [...this.#log.matchAll(new RegExp(`^.*"service":"${service}".*"event":"${event}".*$`, 'gm'))].map(
      ([line]) => JSON.parse(line) as Record<string, unknown>,
    );
  }

  /** Worker processes that ended, for whatever reason. */
  get endedCount(): number {
    return this.count('nanny', 'worker.exited');
  }

  /** Workers of the start that are not there any more. */
  async replaced(): Promise<readonly string[]> {
    const now = new Set<string>((await this.client.workers()).map(({ workerId }) => workerId));
    return this.#firstIds.filter((workerId) => !now.has(workerId));
  }

  /** What was written, read and late since this was last asked. */
  async phase(): Promise<Phase> {
    const loopDelay = await this.#loopDelay();
    const { spillWrittenBytes, spillReadBytes } = (await this.client.memory()).total;
    const phase = {
      writtenBytes: spillWrittenBytes - this.#writtenBytes,
      readBytes: spillReadBytes - this.#readBytes,
      loopDelay,
    };
    [this.#writtenBytes, this.#readBytes] = [spillWrittenBytes, spillReadBytes];
    return phase;
  }

  /** One figure for each worker: the most it said of itself, and the most the kernel saw. */
  async peaks(what: string): Promise<readonly Figure[]> {
    const seen = await this.client.run(() => process.resourceUsage().maxRSS * 1024, [], { timeout: '10s' });
    return (await this.client.memory()).workers.map((worker, index) => {
      const limitBytes = worker.memoryLimitBytes || 0;
      const kernelBytes = seen.get(worker.workerId) ?? 0;
      return {
        what: `${what}: peak of worker ${index}`,
        value: worker.processPeakBytes / MiB,
        unit: 'MiB',
        how:
          `${aboutBytes(kernelBytes)} by the kernel; pause at ${aboutBytes(limitBytes * PAUSE_FRACTION)}, ` +
          `limit ${aboutBytes(limitBytes)}, now ${aboutBytes(worker.processBytes)}`,
      };
    });
  }

  /** Pauses, and workers ended, in words. */
  async troubles(): Promise<string> {
    const gone = (await this.replaced()).length;
    return `paused ${this.count('worker', 'worker.paused')} times, ${this.endedCount} processes ended, ${gone} workers replaced`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster?.close();
  }

  async #loopDelay(): Promise<LoopDelay | undefined> {
    const asked = preinstalled<() => LoopDelay>('spillway', 'loopDelay');
    try {
      const delays = [...(await this.client.run(asked, [], { timeout: '10s' })).values()];
      const worst = (of: (delay: LoopDelay) => number): number => Math.max(...delays.map(of));
      return {
        p50Ms: worst(({ p50Ms }) => p50Ms),
        p99Ms: worst(({ p99Ms }) => p99Ms),
        maxMs: worst(({ maxMs }) => maxMs),
      };
    } catch {
      // A worker that is just being replaced has nothing to say.
      return undefined;
    }
  }
}

/** A phase as two figures: its time with the bytes of the disk, and the loops' delays. */
export function phaseFigures(what: string, ms: number, phase: Phase): readonly Figure[] {
  const time: Figure = {
    what,
    value: ms / 1000,
    unit: 's',
    how: `written ${aboutBytes(phase.writtenBytes)}, read back ${aboutBytes(phase.readBytes)}`,
  };
  if (phase.loopDelay === undefined) return [time];
  const { p50Ms, p99Ms, maxMs } = phase.loopDelay;
  return [
    time,
    {
      what: `${what}: loop delay p99`,
      value: p99Ms,
      unit: 'ms',
      how: `p50 ${p50Ms.toFixed(2)}, max ${maxMs.toFixed(1)}; of the slower worker`,
    },
  ];
}

export const loadTasks = (client: Client) =>
  client.load<typeof Tasks>(new URL('./memory.tasks.ts', import.meta.url));
export type MemoryTasks = Awaited<ReturnType<typeof loadTasks>>;

/** Readings come with heartbeats: one interval, and something for the way. */
export const freshReadings = (): Promise<void> => setTimeout(1200);
