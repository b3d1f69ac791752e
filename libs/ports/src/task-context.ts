/** What `currentTask()` gives to user code. */
export interface TaskContext {
  readonly key: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  readonly workerName: string;
  /** Aborts when the task is cancelled or times out; shortly after, its thread is ended. */
  readonly signal: AbortSignal;
  readonly logger: TaskLogger;
}

export interface TaskLogger {
  debug(...values: readonly unknown[]): void;
  info(...values: readonly unknown[]): void;
  warn(...values: readonly unknown[]): void;
  error(...values: readonly unknown[]): void;
}
