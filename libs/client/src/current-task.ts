/**
 * What a task may know about itself. The executor puts the context where this finds it; a bundle that imports it from
 * `@spillway/client` gets this alone and nothing of the client (module-bundle.ts).
 */
import type { AsyncLocalStorage } from 'node:async_hooks';
import { InvalidArgumentError } from '@spillway/kernel';
import type { TaskContext } from '@spillway/ports';

/** Where an executor thread keeps its `AsyncLocalStorage<TaskContext>`. */
export const CURRENT_TASK = Symbol.for('spillway.currentTask');

/** Key, attempt, worker, abort signal and logger of the task that is running. Throws outside of one. */
export function currentTask(): TaskContext {
  const storage = (globalThis as Record<symbol, unknown>)[CURRENT_TASK] as
    AsyncLocalStorage<TaskContext> | undefined;
  const context = storage?.getStore();
  if (context !== undefined) return context;
  throw new InvalidArgumentError(
    'currentTask() was called outside of a task. It works only in code that a Spillway worker runs as a task.',
  );
}
