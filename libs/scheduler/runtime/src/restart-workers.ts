import { NoNannyError, type StimulusId, type WorkerId } from '@spillway/kernel';
import type { WorkerInfo } from '@spillway/messages';
import type { Sessions } from './sessions.js';

/** Tells the nanny of each worker to replace it. Throws `NoNannyError`, and tells nobody, when one has none that is connected. */
export function restartWorkers(
  { nannies, nannyOf }: Sessions,
  workers: readonly WorkerInfo[],
  { reason, stimulusId }: { readonly reason: string; readonly stimulusId: StimulusId },
): readonly WorkerId[] {
  const orders = workers.map(({ workerId, name }) => {
    const nannyId = nannyOf.get(workerId);
    const nanny = nannyId === undefined ? undefined : nannies.get(nannyId);
    if (nanny !== undefined) return { workerId, nanny };
    const why =
      nannyId === undefined ? 'was started without a nanny' : 'has a nanny that is not connected now';
    throw new NoNannyError(`Worker ${name} ${why}, so nobody can start another in its place.`, {
      details: { workerId, name },
    });
  });
  for (const { workerId, nanny } of orders)
    nanny.send({ type: 'restart-worker', stimulusId, workerId, reason });
  return orders.map(({ workerId }) => workerId);
}
