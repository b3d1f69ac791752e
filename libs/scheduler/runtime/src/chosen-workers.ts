import { UnknownWorkerError } from '@spillway/kernel';
import type { WorkerInfo } from '@spillway/messages';

/** Those of these names or ids; all when none is named. Throws `UnknownWorkerError`. */
export function chosenWorkers(
  workers: readonly WorkerInfo[],
  namesOrIds: readonly string[],
): readonly WorkerInfo[] {
  if (namesOrIds.length === 0) return workers;
  return namesOrIds.map((wanted) => {
    const found = workers.find(({ workerId, name }) => workerId === wanted || name === wanted);
    if (found === undefined)
      throw new UnknownWorkerError(
        `No worker is called ${wanted}. \`spillway workers\` lists those there are.`,
      );
    return found;
  });
}
