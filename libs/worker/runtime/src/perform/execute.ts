import type { RunId, TaskKey } from '@spillway/kernel';
import { remoteError, type Payload } from '@spillway/messages';
import type { ExecutionOutcome, TaskExecutor } from '@spillway/ports';
import type { WorkerInstruction, WorkerOutcome } from '@spillway/worker-machine';
import type { ManagedStore } from '../memory/managed-store.js';
import type { Dispatcher } from './dispatcher.js';

type Execute = Extract<WorkerInstruction, { type: 'execute' }>;
type StopExecution = Extract<WorkerInstruction, { type: 'stop-execution' }>;

type Loaded =
  | { readonly type: 'loaded'; readonly payloads: readonly Payload[] }
  /** One is not held any more: damaged on disk, or freed. */
  | { readonly type: 'lost' }
  | { readonly type: 'unreadable'; readonly what: string };

interface Loading {
  readonly instruction: Execute;
  stopReason: StopExecution['reason'] | undefined;
}

/**
 * Hands tasks to their slots with their inputs. Inputs that lie in RAM (all of them, in the common case) go at once, so
 * that tasks of one turn travel in one message; others are loaded first, and until then the executor knows nothing of
 * the task: what stops it meanwhile stops it here. From then until its outcome is known its inputs stay in RAM.
 */
export class TaskStarter {
  readonly #loading = new Set<Loading>();
  /** Inputs of what was started and has not ended, by run. Twice for a run whose number came again in another session. */
  readonly #pinned = new Map<string, (readonly TaskKey[])[]>();

  constructor(
    private readonly store: Pick<ManagedStore, 'peek' | 'load' | 'pin' | 'unpin'>,
    private readonly executor: TaskExecutor,
    private readonly dispatcher: Dispatcher,
  ) {}

  start(instruction: Execute): void {
    this.#pin(instruction);
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

  /** The outcome of a run has arrived: its inputs may leave RAM. */
  ended({ key, runId }: Pick<ExecutionOutcome, 'key' | 'runId'>): void {
    const run = nameOf(key, runId);
    const pinned = this.#pinned.get(run);
    const keys = pinned?.pop();
    if (keys === undefined) return;
    if (pinned?.length === 0) this.#pinned.delete(run);
    this.store.unpin(keys);
  }

  #pin({ key, runId, spec: { dependencies } }: Execute): void {
    if (dependencies.length === 0) return;
    const run = nameOf(key, runId);
    const pinned = this.#pinned.get(run);
    if (pinned === undefined) this.#pinned.set(run, [dependencies]);
    else pinned.push(dependencies);
    this.store.pin(dependencies);
  }

  /** Cannot reject but for a bug of the machine. */
  async #loadAndStart(instruction: Execute): Promise<void> {
    const loading: Loading = { instruction, stopReason: undefined };
    this.#loading.add(loading);
    const inputs = await this.#load(loading);
    this.#loading.delete(loading);
    if (loading.stopReason !== undefined) this.#reportStopped(instruction, loading.stopReason);
    else if (inputs.type === 'loaded') this.#hand(instruction, inputs.payloads);
    else if (inputs.type === 'lost') this.#reportStopped(instruction, 'inputs-lost');
    else this.#reportUnreadable(instruction, inputs.what);
  }

  /** Ends early, with what it has by then, once the task is stopped: often that is because memory is short. */
  async #load(loading: Loading): Promise<Loaded> {
    const payloads: Payload[] = [];
    for (const key of loading.instruction.spec.dependencies) {
      if (loading.stopReason !== undefined) break;
      try {
        const payload = await this.store.load(key);
        if (payload === undefined) return { type: 'lost' };
        payloads.push(payload);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return { type: 'unreadable', what: `Input ${key} could not be read on this worker: ${reason}` };
      }
    }
    return { type: 'loaded', payloads };
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
      inputKeys: spec.dependencies,
      resultEncoding: spec.resultEncoding,
    });
  }

  #reportStopped(
    { key, runId }: Execute,
    reason: Extract<WorkerOutcome, { type: 'execute-stopped' }>['reason'],
  ): void {
    this.ended({ key, runId });
    const stimulusId = this.dispatcher.stimulus('stopped-loading');
    this.dispatcher.dispatch({ type: 'execute-stopped', stimulusId, key, runId, reason, started: false });
  }

  /** It is still there, and may be read another time. */
  #reportUnreadable({ key, runId }: Execute, what: string): void {
    this.ended({ key, runId });
    this.dispatcher.dispatch({
      type: 'execute-failure',
      stimulusId: this.dispatcher.stimulus('input-unreadable'),
      key,
      runId,
      error: remoteError('UNAVAILABLE', `Task ${key} was not run. ${what}.`, { key }),
      mayRetry: true,
    });
  }
}

const nameOf = (key: TaskKey, runId: RunId): string => `${runId} ${key}`;
