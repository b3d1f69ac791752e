import type { TaskKey } from '@spillway/kernel';
import { remoteError, type Payload } from '@spillway/messages';
import type { TaskExecutor, ValueStore } from '@spillway/ports';
import type { WorkerInstruction } from '@spillway/worker-machine';
import type { Dispatcher } from './dispatcher.js';

type Execute = Extract<WorkerInstruction, { type: 'execute' }>;
type StopExecution = Extract<WorkerInstruction, { type: 'stop-execution' }>;

interface Loading {
  readonly instruction: Execute;
  stopReason: StopExecution['reason'] | undefined;
}

/**
 * Hands tasks to their slots with their inputs. Inputs that lie in RAM (all of them, in the common case) go at once, so
 * that tasks of one turn travel in one message; others are loaded first, and until then the executor knows nothing of
 * the task: what stops it meanwhile stops it here.
 */
export class TaskStarter {
  readonly #loading = new Set<Loading>();

  constructor(
    private readonly store: ValueStore,
    private readonly executor: TaskExecutor,
    private readonly dispatcher: Dispatcher,
  ) {}

  start(instruction: Execute): void {
    const inputs: Payload[] = [];
    for (const key of instruction.spec.dependencies) {
      const payload = this.store.peek(key);
      if (payload === undefined) {
        void this.#loadAndStart(instruction);
        return;
      }
      inputs.push(payload);
    }
    this.#hand(instruction, inputs);
  }

  stop({ slot, key, runId, reason }: StopExecution): void {
    for (const loading of this.#loading) {
      if (loading.instruction.key !== key || loading.instruction.runId !== runId) continue;
      // Its outcome is reported once the loading has ended: here the machine is in the middle of an event.
      loading.stopReason ??= reason;
      return;
    }
    this.executor.stop(slot, key, runId, reason);
  }

  /** Cannot reject but for a bug of the machine. */
  async #loadAndStart(instruction: Execute): Promise<void> {
    const loading: Loading = { instruction, stopReason: undefined };
    this.#loading.add(loading);
    const inputs = await this.#load(instruction.spec.dependencies);
    this.#loading.delete(loading);
    const { key, runId } = instruction;
    if (loading.stopReason !== undefined) {
      const stimulusId = this.dispatcher.stimulus('stopped-loading');
      const reason = loading.stopReason;
      this.dispatcher.dispatch({ type: 'execute-stopped', stimulusId, key, runId, reason, started: false });
    } else if (Array.isArray(inputs)) this.#hand(instruction, inputs);
    else this.#reportLostInput(instruction, inputs);
  }

  /** The values, or what is said of the one that is not to be had. */
  async #load(keys: readonly TaskKey[]): Promise<Payload[] | string> {
    const inputs: Payload[] = [];
    for (const key of keys) {
      try {
        const payload = await this.store.load(key);
        if (payload === undefined) return `Input ${key} was lost on this worker before the task began`;
        inputs.push(payload);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return `Input ${key} could not be read on this worker: ${reason}`;
      }
    }
    return inputs;
  }

  #hand({ slot, key, runId, attempt, spec }: Execute, inputs: readonly Payload[]): void {
    this.executor.execute({
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

  #reportLostInput({ key, runId }: Execute, what: string): void {
    this.dispatcher.dispatch({
      type: 'execute-failure',
      stimulusId: this.dispatcher.stimulus('input-lost'),
      key,
      runId,
      error: remoteError('LOST_DATA', `Task ${key} was not run. ${what}.`, { key }),
      mayRetry: true,
    });
  }
}
