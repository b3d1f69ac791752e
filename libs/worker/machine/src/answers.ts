/** How runs end towards the scheduler: finished, erred, handed back. Each run gets one answer, or was taken back. */
import type { ErrorCode, ErrorDetails } from '@spillway/kernel';
import { remoteError, type Payload, type RemoteError } from '@spillway/messages';
import type { MachineContext } from './context.js';
import { release } from './release.js';
import type { Attempt, Run, WorkerTask } from './task.js';

export interface Finished {
  readonly nbytes: number;
  readonly durationMs: number;
  readonly inline?: Payload;
}

export function answerFinished(context: MachineContext, run: Run, finished: Finished): void {
  const { nbytes, durationMs, inline } = finished;
  const answer = {
    type: 'task-finished',
    stimulusId: context.stimulusId,
    key: run.task.key,
    runId: run.message.runId,
    nbytes,
    durationMs,
  } as const;
  context.send(inline === undefined ? answer : { ...answer, inline });
}

/** The task must be able to go from its state to `erred`: its attempt has ended. */
export function answerErred(
  context: MachineContext,
  run: Run,
  { error, mayRetry }: { error: RemoteError; mayRetry: boolean },
): void {
  const { task, message } = run;
  context.send({
    type: 'task-erred',
    stimulusId: context.stimulusId,
    key: task.key,
    runId: message.runId,
    error,
    mayRetry,
  });
}

/** Not started here (or on a worker that ends): the scheduler decides again, nobody is charged. */
export function handBack(context: MachineContext, task: WorkerTask, run: Run, reason: string): void {
  context.send({
    type: 'task-handed-back',
    stimulusId: context.stimulusId,
    key: task.key,
    runId: run.message.runId,
    reason,
  });
  release(context, task);
}

/** `TASK_TIMEOUT`, with the limit and how long it really ran. */
export function timeoutError(attempt: Attempt, nowMs: number): RemoteError {
  const { task, message } = attempt.run;
  const { timeoutMs } = message.spec;
  const ranMs = nowMs - (attempt.headSinceMs ?? nowMs);
  return failure('TASK_TIMEOUT', attempt, {
    text:
      `Task ${task.key} ran longer than its timeout of ${String(timeoutMs)} ms and was stopped after ${ranMs} ms. ` +
      `Its result is lost. Give it a larger timeout, or less work.`,
    details: { timeoutMs: String(timeoutMs), ranMs: String(ranMs) },
  });
}

/** `TASK_OUT_OF_MEMORY`, with the bytes that were seen when it was told to stop. */
export function outOfMemoryError(attempt: Attempt): RemoteError {
  const { stopping, run } = attempt;
  const seen = stopping?.reason === 'out-of-memory' ? stopping : undefined;
  const bytes =
    seen === undefined
      ? ''
      : `: the worker's process memory had reached ${seen.processBytes} of ${seen.limitBytes} bytes`;
  return failure('TASK_OUT_OF_MEMORY', attempt, {
    text:
      `Task ${run.task.key} grew too much and was ended${bytes}. The worker and its other data live on. ` +
      `Split its work into smaller tasks, or give the worker more memory.`,
    details:
      seen === undefined
        ? {}
        : { processBytes: String(seen.processBytes), limitBytes: String(seen.limitBytes) },
  });
}

/** The thread ended in the middle of the task and nobody could say why. */
export function threadEndedError(attempt: Attempt): RemoteError {
  const { key } = attempt.run.task;
  return failure('TASK_FAILED', attempt, {
    text: `Task ${key} did not end: its thread ended under it. See the worker's log for what the thread said last.`,
    details: {},
  });
}

function failure(
  code: ErrorCode,
  attempt: Attempt,
  { text, details }: { text: string; details: ErrorDetails },
): RemoteError {
  const { task, message } = attempt.run;
  return remoteError(code, text, {
    key: task.key,
    runId: String(message.runId),
    attempt: String(message.attempt),
    ...details,
  });
}
