/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
/** What the scheduler says to a worker, as it is written. */
import { assertNever } from '@spillway/kernel';
import type { Dependency, Holder, SchedulerToWorker } from '@spillway/messages';
import type { spillway } from '@spillway/proto';
import { durationFromMs, texts } from './scalars.js';
import { holderToWire, runRequestToWire, taskToWire } from './values.js';

/**
 * The holders that the messages of one batch name, each once: a worker's id and address are longer than all else in
 * most dependencies. Begins anew with each batch, as batches are replayed one by one.
 */
export class HolderTable {
  readonly holders: spillway.v1.Holder[] = [];
  readonly #indexes = new Map<string, number>();

  indexOf(holder: Holder): number {
    const known = this.#indexes.get(holder.workerId);
    // A worker that came back under another address is another entry.
    if (known !== undefined && this.holders[known]?.address === holder.address) return known;
    const index = this.holders.push(holderToWire(holder)) - 1;
    this.#indexes.set(holder.workerId, index);
    return index;
  }
}

const dependencyToWire = (
  { key, nbytes, whoHas }: Dependency,
  table: HolderTable,
): spillway.v1.Dependency => ({
  key,
  nbytes,
  holderIndexes: whoHas.map((holder) => table.indexOf(holder)),
});

export function schedulerToWorkerToWire(
  message: SchedulerToWorker,
  table: HolderTable,
): spillway.v1.SchedulerToWorkerMessage {
  const { stimulusId } = message;
  const dependencies = (list: readonly Dependency[]): spillway.v1.Dependency[] =>
    list.map((dependency) => dependencyToWire(dependency, table));
  switch (message.type) {
    case 'compute-task': {
      const [user, submission, order] = message.priority;
      const { runId, attempt, expectedMs, expectedBytes = 0, evenIfPaused = false } = message;
      return {
        stimulusId,
        computeTask: {
          runId,
          attempt,
          priority: { user, submission, order },
          expectedDuration: expectedMs === undefined ? null : durationFromMs(expectedMs),
          expectedBytes,
          evenIfPaused,
          spec: taskToWire(message.spec),
          dependencies: dependencies(message.dependencies),
        },
      };
    }
    case 'free-keys':
      return { stimulusId, freeKeys: { keys: texts(message.keys) } };
    case 'cancel-task':
      return { stimulusId, cancelTask: { key: message.key, runId: message.runId } };
    case 'acquire-replicas':
      return { stimulusId, acquireReplicas: { replicas: dependencies(message.replicas) } };
    case 'refresh-who-has':
      return { stimulusId, refreshWhoHas: { dependencies: dependencies(message.dependencies) } };
    case 'peer-lost':
      return { stimulusId, peerLost: { workerId: message.workerId } };
    case 'run-function':
      return {
        stimulusId,
        runFunction: { requestId: message.requestId, request: runRequestToWire(message.request) },
      };
    case 'unload-modules':
      return { stimulusId, unloadModules: { moduleHashes: texts(message.moduleHashes) } };
    case 'close-worker':
      return {
        stimulusId,
        closeWorker: {
          reason: message.reason,
          retired: message.retired !== undefined,
          leavesValues: message.retired?.leavesValues ?? false,
        },
      };
    case 'retire-worker':
      return { stimulusId, retireWorker: {} };
    default:
      return assertNever(message, 'message to a worker');
  }
}
