import type { Client, ClusterMemory } from '@spillway/client';
import Table from 'cli-table3';

const LOOK_EVERY_MS = 250;

/** What a job asked of the workers' memory. All in bytes. */
export interface MemoryReport {
  /** Most that the encoded values on all workers came to, in RAM and on disk, as seen four times a second. */
  readonly valuesPeakBytes: number;
  readonly workers: readonly {
    readonly name: string;
    readonly limitBytes: number | false;
    readonly processPeakBytes: number;
    readonly spillWrittenBytes: number;
    readonly spillReadBytes: number;
  }[];
}

/** Looks at the workers until it is told to stop, or cannot any more: then the job has failed, which is said elsewhere. */
export class MemoryWatch {
  #valuesPeakBytes = 0;
  #isStopped = false;
  readonly #watching: Promise<void>;

  constructor(private readonly client: Client) {
    this.#watching = this.#watch().catch(() => undefined);
  }

  /** What there was to see. */
  async stop(): Promise<MemoryReport> {
    this.#isStopped = true;
    await this.#watching;
    const { workers }: ClusterMemory = await this.client.memory();
    return {
      valuesPeakBytes: this.#valuesPeakBytes,
      workers: workers.map(
        ({ name, memoryLimitBytes, processPeakBytes, spillWrittenBytes, spillReadBytes }) => ({
          name,
          limitBytes: memoryLimitBytes,
          processPeakBytes,
          spillWrittenBytes,
          spillReadBytes,
        }),
      ),
    };
  }

  async #watch(): Promise<void> {
    while (!this.#isStopped) {
      const holdings = await this.client.hasWhat();
      const bytes = [...holdings.values()].flat().reduce((sum, { nbytes }) => sum + nbytes, 0);
      this.#valuesPeakBytes = Math.max(this.#valuesPeakBytes, bytes);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

export function renderMemory({ valuesPeakBytes, workers }: MemoryReport): string {
  const table = new Table({
    head: ['worker', 'peak process memory', 'limit', 'spilled to disk', 'read back'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const { name, limitBytes, processPeakBytes, spillWrittenBytes, spillReadBytes } of workers)
    table.push([
      name,
      megabytes(processPeakBytes),
      limitBytes === false ? 'none' : megabytes(limitBytes),
      megabytes(spillWrittenBytes),
      megabytes(spillReadBytes),
    ]);
  return `At their peak the values came to ${megabytes(valuesPeakBytes)}:\n${table.toString()}`;
}
