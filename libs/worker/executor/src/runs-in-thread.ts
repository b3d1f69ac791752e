/**
 * The runs that one thread holds, as the main side sees them: from being handed over to being settled, once. Whether a
 * run has started is asked of the shared claims, never guessed.
 */
import type { Execution, ExecutionOutcome } from '@spillway/ports';
import type { RunEntry } from './run-entry.js';
import { RunClaims, RUNS_IN_THREAD_MAX, SEQ_LIMIT } from './shared-memory.js';

export class RunsInThread {
  readonly #claims: RunClaims;
  readonly #onSettled: (entry: RunEntry, outcome: ExecutionOutcome) => void;
  readonly #entries = new Map<number, RunEntry>();
  #nextSeq = 0;

  /** `onSettled` is called once for each entry that was added. */
  constructor(memory: SharedArrayBuffer, onSettled: (entry: RunEntry, outcome: ExecutionOutcome) => void) {
    this.#claims = new RunClaims(memory);
    this.#onSettled = onSettled;
  }

  get count(): number {
    return this.#entries.size;
  }

  get roomCount(): number {
    return RUNS_IN_THREAD_MAX - this.#entries.size;
  }

  /** Numbers the runs and lets the thread start them. To be called before they are posted. */
  add(entries: readonly RunEntry[]): { seq: number; execution: Execution }[] {
    return entries.map((entry) => {
      const seq = this.#nextSeq;
      this.#nextSeq = (seq + 1) % SEQ_LIMIT;
      entry.seq = seq;
      this.#entries.set(seq, entry);
      this.#claims.queue(seq);
      return { seq, execution: entry.execution };
    });
  }

  /** Undefined for a run that is settled: what comes late is not heard. */
  get(seq: number): RunEntry | undefined {
    return this.#entries.get(seq);
  }

  has({ seq }: RunEntry): boolean {
    return seq !== undefined && this.#entries.has(seq);
  }

  find(matches: (entry: RunEntry) => boolean): RunEntry | undefined {
    for (const entry of this.#entries.values()) if (matches(entry)) return entry;
    return undefined;
  }

  /** A copy: entries may settle while it is walked. */
  all(): RunEntry[] {
    return [...this.#entries.values()];
  }

  /** Settles the run unless it has started; false when it has. */
  trySkip(entry: RunEntry, outcome: ExecutionOutcome): boolean {
    if (entry.seq === undefined || !this.#claims.trySkip(entry.seq)) return false;
    this.settle(entry, outcome);
    return true;
  }

  settle(entry: RunEntry, outcome: ExecutionOutcome): void {
    if (entry.seq === undefined || !this.#entries.delete(entry.seq)) return;
    entry.isSettled = true;
    this.#onSettled(entry, outcome);
  }
}
