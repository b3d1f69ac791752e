import type { FunctionRef, Payload, TaskSpec } from '@spillway/messages';

/**
 * Whether two tasks of one key make the same result: function, arguments, dependencies and encoding are the same. How they
 * are to be run (priority, retries, workers, time limits) may differ; the first one's stands.
 */
export function isSameTask(a: TaskSpec, b: TaskSpec): boolean {
  if (a === b) return true;
  return (
    isSameFunction(a.function, b.function) &&
    a.resultEncoding === b.resultEncoding &&
    isSameList(a.dependencies, b.dependencies) &&
    isSamePayload(a.args, b.args)
  );
}

function isSameFunction(a: FunctionRef, b: FunctionRef): boolean {
  if (a === b) return true;
  if (a.exportName !== b.exportName) return false;
  if (a.kind === 'bundle') return b.kind === 'bundle' && a.moduleHash === b.moduleHash;
  return b.kind === 'preinstalled' && a.module === b.module;
}

function isSamePayload(a: Payload, b: Payload): boolean {
  return a.encoding === b.encoding && isSameList(a.data, b.data);
}

function isSameList<Item>(a: ArrayLike<Item>, b: ArrayLike<Item>): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}
