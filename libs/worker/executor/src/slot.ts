/**
 * One slot: a queue of runs and the thread that works on them, replaced whenever one ends. Runs wait here until their
 * module is there and the thread has room, always in order; which runs a slot gets is decided by the worker machine.
 */
import { must, type ModuleHash, type RunId, type TaskKey } from '@spillway/kernel';
import type { Execution, ExecutionOutcome, StopReason, TaskLogLine } from '@spillway/ports';
import type { ModuleDepot, ModuleState } from './module-depot.js';
import { failureOutcome, makeEntry, type RunEntry, stoppedOutcome } from './run-entry.js';
import { startError } from './thread-start.js';
import { ThreadHandle, type ThreadOwner, type ThreadSettings } from './thread-handle.js';

export interface SlotParts {
  readonly thread: ThreadSettings;
  readonly modules: ModuleDepot;
  readonly report: (outcome: ExecutionOutcome) => void;
  readonly onLog: (key: string | undefined, level: TaskLogLine['level'], text: string) => void;
  readonly onStuck: (key: TaskKey, forMs: number) => void;
}

export class Slot implements ThreadOwner {
  readonly #parts: SlotParts;
  #pending: RunEntry[] = [];
  #thread: ThreadHandle | undefined;
  /** Threads that were told to end and have not yet. */
  readonly #ending = new Set<ThreadHandle>();
  #isClosing = false;
  #startFailure = '';

  constructor(parts: SlotParts) {
    this.#parts = parts;
    this.#startThread();
  }

  /** Runs given to the thread and not answered. */
  get runCount(): number {
    return this.#thread?.runCount ?? 0;
  }

  /** A thread of this slot lives: after `close`, one that a native call holds. */
  get hasThread(): boolean {
    return this.#ending.size > 0 || this.#thread?.hasExited === false;
  }

  /** Takes effect with the next `flush`. */
  execute(execution: Execution): void {
    const entry = makeEntry(execution);
    if (this.#isClosing) {
      this.#settlePending(entry, stoppedOutcome(entry, 'thread-ended', false));
      return;
    }
    if (execution.function.kind === 'bundle') this.#parts.modules.retain(execution.function.moduleHash);
    this.#pending.push(entry);
  }

  /** Hands over what can be handed over, in one message. */
  flush(): void {
    if (this.#pending.length === 0 || this.#isClosing) return;
    const thread = this.#thread ?? this.#startThread();
    if (thread === undefined) {
      this.#failPending();
      return;
    }
    const ready: RunEntry[] = [];
    let takenCount = 0;
    while (takenCount < this.#pending.length && ready.length < thread.roomCount) {
      const entry = must(this.#pending[takenCount], 'pending run');
      const state = this.#moduleStateOf(entry);
      if (state.name === 'fetching') break;
      takenCount += 1;
      if (state.name === 'ready') {
        ready.push(entry);
        const hash = moduleOf(entry);
        if (hash !== undefined && state.bytes !== undefined) thread.takeModule(hash, state.bytes);
      } else this.#settlePending(entry, failureOutcome(entry, state.error, state.mayRetry));
    }
    this.#pending = this.#pending.slice(takenCount);
    if (ready.length > 0) thread.give(ready);
  }

  stop(key: TaskKey, runId: RunId, reason: StopReason): void {
    const matches = ({ execution }: RunEntry): boolean => execution.runId === runId && execution.key === key;
    const index = this.#pending.findIndex(matches);
    const [pending] = index === -1 ? [] : this.#pending.splice(index, 1);
    if (pending !== undefined) {
      this.#settlePending(pending, stoppedOutcome(pending, reason, false));
      return;
    }
    const entry = this.#thread?.find(matches);
    if (entry !== undefined) this.#thread?.stop(entry, reason);
  }

  /** Looks for results that a busy thread has not announced. */
  collect(): void {
    this.#thread?.collect();
  }

  unloadModules(hashes: readonly ModuleHash[]): void {
    const thread = this.#thread;
    thread?.unloadModules(hashes);
    // Runs in the thread still need it, and would not find it on disk.
    for (const hash of hashes) {
      const state = this.#parts.modules.state(hash);
      if (state.name !== 'ready' || state.bytes === undefined) continue;
      if (thread?.find((entry) => moduleOf(entry) === hash) !== undefined)
        thread.takeModule(hash, state.bytes);
    }
  }

  /** Of all threads of this slot that live, those that were told to end included. */
  get heapUnusedBytes(): number {
    return sum(this.#threads(), ({ heapUnusedBytes }) => heapUnusedBytes);
  }

  get cachedBytes(): number {
    return sum(this.#threads(), ({ cachedBytes }) => cachedBytes);
  }

  /** Resolves when the thread has collected. One that was told to end gives everything back by that. */
  async collectGarbage(): Promise<void> {
    await this.#thread?.collectGarbage();
  }

  async dropCopies(): Promise<void> {
    await this.#thread?.dropCopies();
  }

  forgetCopies(keys: readonly TaskKey[]): void {
    this.#thread?.forgetCopies(keys);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    const pending = this.#pending;
    this.#pending = [];
    for (const entry of pending) this.#settlePending(entry, stoppedOutcome(entry, 'thread-ended', false));
    await Promise.all(this.#threads().map((thread) => thread.close()));
  }

  onSettled(entry: RunEntry, outcome: ExecutionOutcome): void {
    const { function: ref } = entry.execution;
    if (ref.kind === 'bundle') this.#parts.modules.release(ref.moduleHash);
    this.#parts.report(outcome);
  }

  onLog(key: string | undefined, level: TaskLogLine['level'], text: string): void {
    this.#parts.onLog(key, level, text);
  }

  onStuck(entry: RunEntry, forMs: number): void {
    this.#parts.onStuck(entry.execution.key, forMs);
  }

  onRetired(thread: ThreadHandle): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    if (!thread.hasExited) this.#ending.add(thread);
    // One that could not even start is not followed by another until there is work for it.
    if (!this.#isClosing && !thread.hasFailedToStart) this.#startThread();
  }

  onExited(thread: ThreadHandle): void {
    this.#ending.delete(thread);
  }

  #threads(): ThreadHandle[] {
    return this.#thread === undefined ? [...this.#ending] : [...this.#ending, this.#thread];
  }

  /** Undefined when Node could not make one; the next flush tries again. */
  #startThread(): ThreadHandle | undefined {
    try {
      this.#thread = new ThreadHandle(this.#parts.thread, this);
    } catch (error) {
      this.#startFailure = error instanceof Error ? error.message : String(error);
      this.onLog(undefined, 'error', `An executor thread could not start: ${this.#startFailure}`);
    }
    return this.#thread;
  }

  #failPending(): void {
    const error = startError(this.#startFailure);
    const pending = this.#pending;
    this.#pending = [];
    for (const entry of pending) this.#settlePending(entry, failureOutcome(entry, error, true));
  }

  #moduleStateOf({ execution }: RunEntry): ModuleState {
    const { function: ref } = execution;
    return ref.kind === 'bundle' ? this.#parts.modules.state(ref.moduleHash) : { name: 'ready' };
  }

  #settlePending(entry: RunEntry, outcome: ExecutionOutcome): void {
    entry.isSettled = true;
    this.onSettled(entry, outcome);
  }
}

/** Of a function from a bundle. */
const moduleOf = ({ execution: { function: ref } }: RunEntry): ModuleHash | undefined =>
  ref.kind === 'bundle' ? ref.moduleHash : undefined;

const sum = (threads: readonly ThreadHandle[], bytesOf: (thread: ThreadHandle) => number): number =>
  threads.reduce((bytes, thread) => bytes + bytesOf(thread), 0);
