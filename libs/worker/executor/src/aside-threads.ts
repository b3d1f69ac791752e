/**
 * Threads outside of slots, for `client.run`: each takes one function at a time, so that a long one blocks neither
 * tasks nor the next. Started when first needed; one idle thread is kept, the others end with their function.
 */
import { asRunId, asTaskKey, TaskTimeoutError, UnavailableError } from '@spillway/kernel';
import {
  functionNameOf,
  type RemoteError,
  type RunOutcome,
  type RunRequest,
  toRemoteError,
} from '@spillway/messages';
import type { Execution, ExecutionOutcome, Timers } from '@spillway/ports';
import type { Slot, SlotParts } from './slot.js';

/** Functions beyond this wait for a thread. */
const ASIDE_THREADS_MAX = 4;
/** Slots of tasks count from 0; this stands in executions that belong to none. */
const NO_SLOT = -1;

interface AsideThread {
  readonly slot: Slot;
  /** Of the function under way; undefined while idle. */
  onOutcome: ((outcome: ExecutionOutcome) => void) | undefined;
}

export interface AsideThreadsOptions {
  readonly makeSlot: (parts: Pick<SlotParts, 'report' | 'onStuck'>) => Slot;
  readonly timers: Timers;
  readonly warn: (text: string) => void;
}

export class AsideThreads {
  readonly #options: AsideThreadsOptions;
  readonly #threads = new Set<AsideThread>();
  readonly #waiting: (() => void)[] = [];
  #nextRunId = 1;
  #isClosing = false;

  constructor(options: AsideThreadsOptions) {
    this.#options = options;
  }

  async run(request: RunRequest): Promise<RunOutcome> {
    const thread = await this.#take();
    if (thread === undefined) return closingOutcome();
    const outcome = await this.#runIn(thread, request);
    this.#giveBack(thread);
    return outcome;
  }

  /** After a module arrived: what waits for it can go on. */
  flush(): void {
    for (const { slot } of this.#threads) slot.flush();
  }

  unloadModules(hashes: Parameters<Slot['unloadModules']>[0]): void {
    for (const { slot } of this.#threads) slot.unloadModules(hashes);
  }

  async collectGarbage(): Promise<void> {
    await Promise.all([...this.#threads].map(({ slot }) => slot.collectGarbage()));
  }

  get heapUnusedBytes(): number {
    return [...this.#threads].reduce((bytes, { slot }) => bytes + slot.heapUnusedBytes, 0);
  }

  get hasThread(): boolean {
    return [...this.#threads].some(({ slot }) => slot.hasThread);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    for (const wake of this.#waiting.splice(0)) wake();
    await Promise.all([...this.#threads].map(({ slot }) => slot.close()));
  }

  #runIn(thread: AsideThread, request: RunRequest): Promise<RunOutcome> {
    const execution = this.#executionOf(request);
    return new Promise((resolve) => {
      const { timeoutMs } = request;
      const timer =
        timeoutMs === false
          ? undefined
          : this.#options.timers.after(timeoutMs, () =>
              thread.slot.stop(execution.key, execution.runId, 'timeout'),
            );
      thread.onOutcome = (outcome): void => {
        timer?.cancel();
        resolve(runOutcomeOf(outcome, request));
      };
      thread.slot.execute(execution);
      thread.slot.flush();
    });
  }

  #executionOf(request: RunRequest): Execution {
    const runId = asRunId(this.#nextRunId++);
    const key = asTaskKey(`run:${functionNameOf(request.function)}:${runId}`);
    const { function: ref, args } = request;
    // Whoever writes arguments in an encoding can read it.
    const resultEncoding = args.encoding;
    return { slot: NO_SLOT, key, runId, attempt: 1, function: ref, args, inputs: [], resultEncoding };
  }

  /** An idle thread or a new one; waits when there are enough. `undefined` once closing. */
  async #take(): Promise<AsideThread | undefined> {
    for (;;) {
      if (this.#isClosing) return undefined;
      const idle = [...this.#threads].find(({ onOutcome }) => onOutcome === undefined);
      if (idle !== undefined || this.#threads.size < ASIDE_THREADS_MAX) {
        const thread = idle ?? this.#startThread();
        thread.onOutcome = ignore;
        return thread;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #startThread(): AsideThread {
    const slot = this.#options.makeSlot({
      report: (outcome) => thread.onOutcome?.(outcome),
      onStuck: (key, forMs) =>
        this.#options.warn(`The thread of ${key} does not end since ${forMs} ms: it is in a native call`),
    });
    const thread: AsideThread = { slot, onOutcome: undefined };
    this.#threads.add(thread);
    return thread;
  }

  #giveBack(thread: AsideThread): void {
    thread.onOutcome = undefined;
    const wake = this.#waiting.shift();
    if (wake !== undefined) wake();
    else if (!this.#isClosing && this.#idleCount() > 1) {
      this.#threads.delete(thread);
      void thread.slot.close();
    }
  }

  #idleCount(): number {
    return [...this.#threads].filter(({ onOutcome }) => onOutcome === undefined).length;
  }
}

const ignore = (): void => undefined;

function runOutcomeOf(outcome: ExecutionOutcome, { function: ref, timeoutMs }: RunRequest): RunOutcome {
  switch (outcome.type) {
    case 'execute-success':
      return { type: 'run-success', result: outcome.result };
    case 'execute-failure':
      return { type: 'run-failure', error: outcome.error };
    case 'execute-stopped':
      if (outcome.reason !== 'timeout') return closingOutcome();
      return failure(
        toRemoteError(
          new TaskTimeoutError(
            `${functionNameOf(ref)} ran longer than its timeout of ${String(timeoutMs)} ms and was stopped`,
          ),
        ),
      );
  }
}

const failure = (error: RemoteError): RunOutcome => ({ type: 'run-failure', error });

const closingOutcome = (): RunOutcome =>
  failure(toRemoteError(new UnavailableError('The worker is closing; run the function again elsewhere')));
