import type { NannyId } from '@spillway/kernel';
import type { RestartPolicy } from './restart-policy.js';

export interface NannyMachineOptions extends RestartPolicy {
  readonly nannyId: NannyId;
  /** One slot for each name. */
  readonly workerNames: readonly string[];
  /** How long a worker may take to close in order before it is killed. */
  readonly closeTimeoutMs: number;
  /** How long a worker that is to be replaced may take to end what it runs; 0 closes it at once. */
  readonly restartDrainMs: number;
  /** How long a worker may take from its start to being registered before it is killed and replaced. */
  readonly startTimeoutMs: number;
  /** How long a registered worker may give no sign of life before it is killed as hung; `false`: for ever. */
  readonly workerTtlMs: number | false;
  /** What each worker may use, at first. */
  readonly limitBytes: number | false;
  /** Process memory above this share of the limit ends a worker; `false`: nothing does. */
  readonly terminateFraction: number | false;
  /** Workers take over what their predecessors had on disk. */
  readonly adopts: boolean;
  /** How fast a worker may grow: decides how often it is looked at. */
  readonly growthBytesPerMs: number;
}
