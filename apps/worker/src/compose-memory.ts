/** The worker's memory, put together: the machine with the thresholds of the settings, and what it acts through. */
import { GROWTH_BYTES_PER_MS } from '@spillway/kernel';
import { IsolateGarbage, ownMemory, processMalloc, systemClock, systemTimers } from '@spillway/platform';
import type { Logger } from '@spillway/ports';
import { GrowthWatch, MemoryMachine, type MemoryMachineOptions } from '@spillway/worker-memory';
import { WorkerMemory } from '@spillway/worker-runtime';
import type { OpenStore } from './open-store.js';
import type { ResolvedWorker } from './worker-options.js';

/** Between pause (0.80) and terminate (0.95): a task that drives the process there is ended before the process is. */
const RUNAWAY_FRACTION = 0.9;
const GUILTY_FRACTION = 0.25;

export function memoryMachineOf(resolved: ResolvedWorker, evicts: OpenStore['evicts']): MemoryMachine {
  return new MemoryMachine(machineOptions(resolved, evicts));
}

export function composeMemory(
  resolved: ResolvedWorker,
  machine: MemoryMachine,
  open: OpenStore,
  logger: Logger,
): WorkerMemory {
  const { config, limit } = resolved;
  const growthWatch = growthWatchOf(resolved);
  const own = new IsolateGarbage({ clock: systemClock, timers: systemTimers });
  const memory = new WorkerMemory({
    machine,
    store: open.store,
    growthWatch,
    clock: systemClock,
    timers: systemTimers,
    logger,
    ownMemory,
    malloc: processMalloc(),
    collectors: [() => own.ask(), open.collectGarbage],
    monitorIntervalMs: config.worker.memory.monitorInterval,
    servingMax: config.worker.connections.incoming,
    explainRefusal: open.explainRefusal,
  });
  limit.onChanged((limitBytes) => {
    growthWatch.limitChanged(limitBytes);
    memory.tell({ type: 'limit-changed', limitBytes });
  });
  return memory;
}

/**
 * A container of the user's ignores target; spill as well, unless it can be told to free memory (founding document,
 * "User-defined managed memory containers").
 */
function machineOptions(
  { config, limitBytes }: ResolvedWorker,
  evicts: OpenStore['evicts'],
): MemoryMachineOptions {
  const { memory } = config.worker;
  return {
    limitBytes,
    targetFraction: evicts === 'by-key' ? memory.target : false,
    spillFraction: evicts === 'never' ? false : memory.spill,
    pauseFraction: memory.pause,
    terminateFraction: memory.terminate,
    pauseReleaseGapFraction: memory.pauseReleaseGap,
    pauseReturnMs: memory.pauseReturn,
    pauseRecycleMs: memory.pauseRecycle,
    spillDebtFraction: memory.spillDebt,
    garbageDebtFraction: memory.garbageDebt,
    trimBytes: memory.trim,
    recentToOldMs: memory.recentToOldTime,
  };
}

/** Off with all thresholds of process memory off: then it is ignored (founding document, "Ignore process memory"). */
function growthWatchOf({ config, limitBytes }: ResolvedWorker): GrowthWatch {
  const { spill, pause, terminate } = config.worker.memory;
  const isIgnored = spill === false && pause === false && terminate === false;
  return new GrowthWatch({
    limitBytes,
    runawayFraction: isIgnored ? false : RUNAWAY_FRACTION,
    guiltyFraction: GUILTY_FRACTION,
    terminateFraction: terminate,
    growthBytesPerMs: GROWTH_BYTES_PER_MS,
  });
}
