import type { JournalRecord } from '@spillway/messages';

/** Where the scheduler writes down what its next life needs to know. */
export interface Journal {
  /** Keeps the order of calls. Returns at once. */
  append(records: readonly JournalRecord[]): void;
  /**
   * Calls once everything appended until now outlives this process and its machine; at once if it does already, or if the
   * journal has failed and nothing ever will. Calls come in the order in which they were asked for.
   */
  afterwards(call: () => void): void;
}
