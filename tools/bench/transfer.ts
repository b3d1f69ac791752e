import type { Figure } from './bench.js';
import { withCluster } from './cluster.js';
import { median, timedMs } from './statistics.js';

const ARRAY_COUNT = 10;
const ARRAY_BYTES = 50_000_000;
const ROUNDS = 3;

/** Arrays made on one worker and used on the other. */
export function workerToWorker(): Promise<readonly Figure[]> {
  return withCluster(async (client) => {
    const [from, to] = await client.workers();
    const samples: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const sizes = Array.from({ length: ARRAY_COUNT }, () => ARRAY_BYTES / 8);
      const made = client
        .with({ workers: [from!.name] })
        .map((length: number) => new Float64Array(length).fill(1), sizes);
      await client.wait(made);
      samples.push(
        await timedMs(async () => {
          const used = client.with({ workers: [to!.name] }).map((array: Float64Array) => array.length, made);
          await client.wait(used);
          client.release(used);
        }),
      );
      client.release(made);
    }
    const megabytes = (ARRAY_COUNT * ARRAY_BYTES) / 1e6;
    return [
      {
        what: `worker → worker, ${ARRAY_COUNT} × ${ARRAY_BYTES / 1e6} MB`,
        value: megabytes / (median(samples) / 1000),
        unit: 'MB/s',
        how: `median of ${ROUNDS}`,
      },
    ];
  });
}
