import type { TaskKey } from '@spillway/kernel';
import { remoteError, type Payload } from '@spillway/messages';
import type { TaskExecutor, ValueStore } from '@spillway/ports';
import type { WorkerInstruction } from '@spillway/worker-machine';
import type { Dispatcher } from './dispatcher.js';

type Execute = Extract<WorkerInstruction, { type: 'execute' }>;

/**
 * Hands a task to its slot with its inputs. Inputs that lie in RAM (all of them, in the common case) go at once, so
 * that tasks of one turn travel in one message; others are loaded first.
 */
export function performExecute(
  instruction: Execute,
  store: ValueStore,
  executor: TaskExecutor,
  dispatcher: Dispatcher,
): void {
  const inputs: Payload[] = [];
  for (const key of instruction.spec.dependencies) {
    const payload = store.peek(key);
    if (payload === undefined) {
      void loadThenExecute(instruction, store, executor, dispatcher);
      return;
    }
    inputs.push(payload);
  }
  hand(instruction, inputs, executor);
}

async function loadThenExecute(
  instruction: Execute,
  store: ValueStore,
  executor: TaskExecutor,
  dispatcher: Dispatcher,
): Promise<void> {
  const inputs: Payload[] = [];
  for (const key of instruction.spec.dependencies) {
    const payload = await store.load(key);
    if (payload === undefined) {
      reportLostInput(instruction, key, dispatcher);
      return;
    }
    inputs.push(payload);
  }
  hand(instruction, inputs, executor);
}

function hand(
  { slot, key, runId, attempt, spec }: Execute,
  inputs: readonly Payload[],
  executor: TaskExecutor,
): void {
  executor.execute({
    slot,
    key,
    runId,
    attempt,
    function: spec.function,
    args: spec.args,
    inputs,
    resultEncoding: spec.resultEncoding,
  });
}

function reportLostInput({ key, runId }: Execute, inputKey: TaskKey, dispatcher: Dispatcher): void {
  dispatcher.dispatch({
    type: 'execute-failure',
    stimulusId: dispatcher.stimulus('input-lost'),
    key,
    runId,
    error: remoteError(
      'LOST_DATA',
      `Input ${inputKey} of task ${key} was lost on this worker before the task began.`,
    ),
    mayRetry: true,
  });
}
