import type { SeededRandom, TaskKey, WorkerId } from '@spillway/kernel';
import type { Logger } from '@spillway/ports';
import type { SchedulerMachine } from '@spillway/scheduler-machine';
import type { SchedulerRuntime } from '@spillway/scheduler-runtime';
import type { SimFolder } from './sim-folder.js';
import type { SimNetwork } from './sim-network.js';
import type { SimTime } from './sim-time.js';
import type { SimWorker } from './sim-worker.js';

/** What the parts of a simulated cluster share. */
export interface SimWorld {
  readonly time: SimTime;
  readonly random: SeededRandom;
  readonly network: SimNetwork;
  readonly logger: Logger;
  readonly machine: SchedulerMachine;
  readonly scheduler: SchedulerRuntime;
  readonly workers: Map<WorkerId, SimWorker>;
  readonly faults: { transferFailureChance: number };
  /** Workers take over what their former lives had on disk. */
  readonly adopts: boolean;
  /** What is on disk, by the name of the worker. */
  readonly folders: Map<string, SimFolder>;
  /** Values are so small that memory is never short. */
  readonly areValuesSmall: boolean;
  /** A task was executed once more, with so many bytes of inputs. */
  executed(key: TaskKey, attempt: number, inputBytes: number): void;
}
