/**
 * Turns what user code prints in a thread into log lines with its task's key: `console.*`, the task's logger, and
 * `process.stdout` and `stderr`. Bounded in length and in rate; what is dropped is counted and said. Native code that
 * writes to the file descriptors itself is not caught.
 */
import { format } from 'node:util';
import type { TaskLogger, TaskLogLine } from '@spillway/ports';
import { boundedText } from '../error-text.js';
import { currentTasks } from './context.js';

export type LogLevel = TaskLogLine['level'];
type Emit = (key: string | undefined, level: LogLevel, text: string) => void;

/** Longest line, in UTF-16 code units. */
export const LOG_LINE_LENGTH_MAX = 16 * 1024;
/** Most lines of one thread in `LOG_WINDOW_MS`. */
export const LOG_LINES_MAX = 500;
export const LOG_WINDOW_MS = 1000;

/** Lets so many lines through in each window and says afterwards how many it dropped. */
export class TaskLog {
  #windowStartMs = -Infinity;
  #lineCount = 0;
  #droppedCount = 0;

  constructor(
    private readonly emit: Emit,
    private readonly clockMs: () => number,
  ) {}

  write(key: string | undefined, level: LogLevel, text: string): void {
    const nowMs = this.clockMs();
    if (nowMs - this.#windowStartMs >= LOG_WINDOW_MS) {
      this.reportDropped();
      this.#windowStartMs = nowMs;
      this.#lineCount = 0;
    }
    this.#lineCount += 1;
    if (this.#lineCount > LOG_LINES_MAX) this.#droppedCount += 1;
    else this.emit(key, level, boundedText(text, LOG_LINE_LENGTH_MAX));
  }

  /** Also called whenever the thread falls idle, so that the count is not lost with the last line. */
  reportDropped(): void {
    if (this.#droppedCount === 0) return;
    const text = `${this.#droppedCount} lines dropped: more than ${LOG_LINES_MAX} in ${LOG_WINDOW_MS} ms`;
    this.#droppedCount = 0;
    this.emit(undefined, 'warn', text);
  }

  loggerFor(key: string): TaskLogger {
    const at =
      (level: LogLevel) =>
      (...values: readonly unknown[]): void =>
        this.write(key, level, formatSafely(values));
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }
}

/** An object whose inspection throws must not fail the task that prints it. */
function formatSafely(values: readonly unknown[]): string {
  try {
    return format(...values);
  } catch {
    return 'a value that cannot be shown';
  }
}

const CONSOLE_LEVELS = { debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error' } as const;

/** From here on, nothing printed in this thread reaches the process's own output. */
export function captureConsole(log: TaskLog, keyOutsideTasks: () => string | undefined): void {
  const write = (level: LogLevel, text: string): void =>
    log.write(currentTasks.getStore()?.key ?? keyOutsideTasks(), level, text);
  for (const [method, level] of Object.entries(CONSOLE_LEVELS)) {
    Reflect.set(globalThis.console, method, (...values: unknown[]) => write(level, formatSafely(values)));
  }
  // The rest of the console (table, dir, group, assert, trace) ends in one of these two.
  captureStream(process.stdout, (text) => write('info', text));
  captureStream(process.stderr, (text) => write('error', text));
}

/** Whole lines as they come; the rest of a line waits for its end, or for becoming too long. */
function captureStream(stream: NodeJS.WriteStream, writeLine: (line: string) => void): void {
  let unfinished = '';
  const capture = (chunk: unknown, encoding?: unknown, done?: unknown): boolean => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString('utf8');
    const lines = (unfinished + text).split('\n');
    unfinished = lines.pop() ?? '';
    for (const line of lines) writeLine(line);
    if (unfinished.length > LOG_LINE_LENGTH_MAX) {
      writeLine(unfinished);
      unfinished = '';
    }
    const callback = typeof encoding === 'function' ? encoding : done;
    if (typeof callback === 'function') process.nextTick(callback);
    return true;
  };
  Reflect.set(stream, 'write', capture);
}
