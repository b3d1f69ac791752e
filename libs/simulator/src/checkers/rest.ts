import { formatStory } from '@spillway/kernel';
import type { SimWorld } from '../sim-world.js';

/** At rest, what the scheduler believes of who has what is what the workers' stores hold. */
export function checkAtRest({ workers, scheduler, machine }: SimWorld): void {
  for (const [workerId, worker] of workers) {
    if (!worker.isAlive) continue;
    const believed = (scheduler.hasWhat(workerId) ?? []).map(({ key }) => key).toSorted();
    const held = [...worker.store.keys()].toSorted();
    if (believed.join(' ') === held.join(' ')) continue;
    const missing = believed.filter((key) => !held.includes(key));
    const extra = held.filter((key) => !believed.includes(key));
    const story = [...missing, ...extra].flatMap((key) => [
      `${key}: worker says ${worker.machine.stateOf(key) ?? 'unknown'}`,
      formatStory(machine.storyOf(key)),
      formatStory(worker.machine.storyOf(key)),
    ]);
    throw new Error(
      `${workerId}: scheduler believes in [${missing.join(' ')}], worker also holds [${extra.join(' ')}].\n${story.join('\n')}`,
    );
  }
}

/** When nobody wants anything any more, nothing is left: no task at the scheduler, no value on a worker. */
export function checkEmpty({ workers, machine }: SimWorld): void {
  for (const [state, count] of Object.entries(machine.countsByState))
    if (state !== 'forgotten' && count > 0)
      throw new Error(`${count} tasks are ${state} though every client has gone.`);
  for (const [workerId, { store, isAlive }] of workers)
    if (isAlive && store.keyCount > 0)
      throw new Error(
        `${workerId} still holds [${[...store.keys()].join(' ')}] though every client has gone.`,
      );
}
