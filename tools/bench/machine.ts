import { spawnSync } from 'node:child_process';
import { loadavg } from 'node:os';
import type { Figure } from './bench.js';
import { median } from './statistics.js';

const STARTS = 5;
const TOUCHED_BYTES = 50_000_000;
const ADDITIONS = 100_000_000;

/** What the machine itself gives at this moment: figures of two runs compare as far as these do. */
export function thisMachine(): Promise<readonly Figure[]> {
  return Promise.resolve([
    {
      what: 'machine: start and end of node',
      value: median(Array.from({ length: STARTS }, () => msOf(startNode))),
      unit: 'ms',
      how: `median of ${STARTS}; load ${loadavg()[0]!.toFixed(1)}`,
    },
    {
      what: 'machine: first touch of memory',
      value: TOUCHED_BYTES / 1000 / median(Array.from({ length: STARTS }, () => msOf(touch))),
      unit: 'MB/s',
      how: `median of ${STARTS} × 50 MB`,
    },
    {
      what: 'machine: additions in a loop',
      value: ADDITIONS / 1000 / median(Array.from({ length: STARTS }, () => msOf(add))),
      unit: 'M/s',
      how: `median of ${STARTS} × 100 M`,
    },
  ]);
}

function msOf(work: () => unknown): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}

const startNode = (): unknown => spawnSync(process.execPath, ['-e', '0']);

const touch = (): unknown => new Uint8Array(TOUCHED_BYTES).fill(1);

function add(): number {
  let sum = 0;
  for (let index = 0; index < ADDITIONS; index++) sum = (sum + index) | 0;
  return sum;
}
