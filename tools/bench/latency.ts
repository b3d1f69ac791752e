import type { Figure } from './bench.js';
import { withCluster } from './cluster.js';
import { median, percentile, timedMs } from './statistics.js';

const ROUND_TRIPS = 500;
const CHAIN_STEPS = 500;

/** One task at a time: submit, and wait for its result. */
export function roundTrip(): Promise<readonly Figure[]> {
  return withCluster(async (client) => {
    const once = (x: number) => timedMs(() => client.submit((value: number) => value + 1, x).result());
    for (let i = 0; i < 100; i++) await once(i);
    const samples: number[] = [];
    for (let i = 0; i < ROUND_TRIPS; i++) samples.push(await once(i));
    const p99 = percentile(samples, 0.99).toFixed(2);
    return [
      {
        what: 'submit → result',
        value: median(samples),
        unit: 'ms',
        how: `median of ${ROUND_TRIPS}, p99 ${p99}`,
      },
    ];
  });
}

/** Each task takes the result of the one before. */
export function chainStep(): Promise<readonly Figure[]> {
  return withCluster(async (client) => {
    const chain = async (): Promise<void> => {
      let last = client.submit((value: number) => value + 1, 0);
      for (let i = 1; i < CHAIN_STEPS; i++) last = client.submit((value: number) => value + 1, last);
      await last.result();
    };
    await chain();
    const samples = [await timedMs(chain), await timedMs(chain), await timedMs(chain)];
    return [
      {
        what: 'chain, per step',
        value: median(samples) / CHAIN_STEPS,
        unit: 'ms',
        how: `${CHAIN_STEPS} steps, median of 3`,
      },
    ];
  });
}
