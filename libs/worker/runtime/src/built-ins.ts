/** Functions that every worker has, called like preinstalled ones: they concern the worker itself, not user code. */
import { BUILT_IN_MODULE, remoteError, type FunctionRef, type RunOutcome } from '@spillway/messages';
import type { WorkerMemory } from './memory/worker-memory.js';

/** What the reference calls; `undefined` when that is not built in. The call never rejects. */
export function builtInOf(
  ref: FunctionRef,
  memory: Pick<WorkerMemory, 'trimNow'>,
): (() => Promise<RunOutcome>) | undefined {
  if (ref.kind !== 'preinstalled' || ref.module !== BUILT_IN_MODULE) return undefined;
  if (ref.exportName === 'trimMemory') return () => outcomeOf(memory.trimNow());
  const name = `${ref.module}#${ref.exportName}`;
  return () =>
    Promise.resolve({
      type: 'run-failure',
      error: remoteError(
        'FUNCTION_NOT_FOUND',
        `Workers have no ${name} built in; there is ${BUILT_IN_MODULE}#trimMemory.`,
      ),
    });
}

async function outcomeOf(result: Promise<object>): Promise<RunOutcome> {
  const data = new TextEncoder().encode(JSON.stringify(await result));
  return { type: 'run-success', result: { encoding: 'json', data } };
}
