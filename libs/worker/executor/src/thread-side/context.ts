/**
 * What `currentTask()` gives to user code. The thread keeps it in an AsyncLocalStorage under a well-known symbol, where
 * `@spillway/client` finds it, so that a bundled module with its own copy of the client reads the same one.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { StopReason, TaskContext, TaskLogger } from '@spillway/ports';

const CURRENT_TASK = Symbol.for('spillway.currentTask');

export const currentTasks = new AsyncLocalStorage<TaskScope>();

export function publishCurrentTask(): void {
  Object.defineProperty(globalThis, CURRENT_TASK, { value: currentTasks, configurable: true });
}

/** One run's context. Signal and logger are made when first asked for: most tasks never do. */
export class TaskScope implements TaskContext {
  #controller: AbortController | undefined;
  #logger: TaskLogger | undefined;

  constructor(
    readonly key: string,
    readonly attempt: number,
    readonly workerName: string,
    private readonly makeLogger: (key: string) => TaskLogger,
  ) {}

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  get logger(): TaskLogger {
    this.#logger ??= this.makeLogger(this.key);
    return this.#logger;
  }

  abort(reason: StopReason): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(
      reason === 'timeout'
        ? new DOMException(`Task ${this.key} ran longer than its timeout`, 'TimeoutError')
        : new DOMException(`Task ${this.key} was stopped (${reason})`, 'AbortError'),
    );
  }
}
