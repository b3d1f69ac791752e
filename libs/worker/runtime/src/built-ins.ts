/** Functions that every worker has, called like preinstalled ones: they concern the worker itself, not user code. */
import {
  BUILT_IN_MODULE,
  remoteError,
  type FunctionRef,
  type LoopDelayReport,
  type RunOutcome,
  type TrimReport,
} from '@spillway/messages';

export interface BuiltIns {
  readonly trimMemory: () => Promise<TrimReport>;
  readonly loopDelay: () => Promise<LoopDelayReport>;
}

/** What the reference calls; `undefined` when that is not built in. Requires: no built-in rejects. */
export function builtInOf(ref: FunctionRef, builtIns: BuiltIns): (() => Promise<RunOutcome>) | undefined {
  if (ref.kind !== 'preinstalled' || ref.module !== BUILT_IN_MODULE) return undefined;
  const { exportName } = ref;
  if (isBuiltIn(exportName, builtIns)) return () => outcomeOf(builtIns[exportName]());
  const names = Object.keys(builtIns).map((name) => `${BUILT_IN_MODULE}#${name}`);
  const error = remoteError(
    'FUNCTION_NOT_FOUND',
    `Workers have no ${BUILT_IN_MODULE}#${exportName} built in. They have: ${names.join(', ')}.`,
  );
  return () => Promise.resolve({ type: 'run-failure', error });
}

const isBuiltIn = (name: string, builtIns: BuiltIns): name is keyof BuiltIns => Object.hasOwn(builtIns, name);

async function outcomeOf(result: Promise<object>): Promise<RunOutcome> {
  const data = new TextEncoder().encode(JSON.stringify(await result));
  return { type: 'run-success', result: { encoding: 'json', data } };
}
