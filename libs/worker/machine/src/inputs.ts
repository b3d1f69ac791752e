/**
 * The relation between an assigned task and its inputs: a task in `waiting` or `ready` is in `neededBy` of each of its
 * inputs, and what is needed and not here is fetched, or being made here.
 */
import type { MachineContext } from './context.js';
import { release } from './release.js';
import { isNeeded, type Run } from './task.js';
import { wantValue } from './wanting.js';

/** Ties a run to its inputs and sees to those that are missing. Returns how many are. */
export function attachInputs(
  context: MachineContext,
  run: Run,
  options: { isHolderListFresh: boolean },
): number {
  let missingCount = 0;
  for (const dependency of run.message.dependencies) {
    const input = context.tasks.obtain(dependency.key);
    input.neededBy ??= new Set();
    if (input === run.task || input.neededBy.has(run.task)) continue;
    input.neededBy.add(run.task);
    if (input.state.name === 'memory') continue;
    missingCount += 1;
    wantValue(context, input, {
      dependency,
      priority: run.message.priority,
      asReplica: false,
      isHolderListFresh: options.isHolderListFresh,
    });
  }
  return missingCount;
}

/** Unties a run from its inputs; those that nobody else wants are not fetched any more. */
export function detachInputs(context: MachineContext, run: Run): void {
  for (const { key } of run.message.dependencies) {
    const input = context.tasks.get(key);
    if (input?.neededBy?.delete(run.task) !== true || isNeeded(input)) continue;
    input.neededBy = undefined;
    const { state } = input;
    if ((state.name === 'fetch' || state.name === 'flight') && !state.asReplica) release(context, input);
  }
}
