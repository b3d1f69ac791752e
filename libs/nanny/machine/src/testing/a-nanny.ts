import { asNannyId, GROWTH_BYTES_PER_MS } from '@spillway/kernel';
import { NannyMachine } from '../nanny-machine.js';
import type { NannyMachineOptions } from '../options.js';

/** A nanny with sensible options for tests: one slot called `w`. */
export function aNanny(options: Partial<NannyMachineOptions> = {}): NannyMachine {
  return new NannyMachine({
    nannyId: asNannyId('n1'),
    workerNames: ['w'],
    restartDrainMs: 0,
    closeTimeoutMs: 1000,
    startTimeoutMs: 30_000,
    workerTtlMs: 30_000,
    backoffBaseMs: 100,
    backoffMaxMs: 1000,
    stableMs: 10_000,
    quarantineDeaths: 5,
    quarantineWindowMs: 60_000,
    quarantineReleaseMs: 600_000,
    limitBytes: 1_000_000_000,
    terminateFraction: 0.95,
    growthBytesPerMs: GROWTH_BYTES_PER_MS,
    adopts: true,
    ...options,
  });
}
