import type { SeededRandom } from '@spillway/kernel';
import { JournalState, type JournalRecord } from '@spillway/messages';
import type { Journal, Logger } from '@spillway/ports';
import { SchedulerMachine, type SchedulerMachineOptions } from '@spillway/scheduler-machine';
import { SchedulerRuntime } from '@spillway/scheduler-runtime';
import type { SimNetwork } from './sim-network.js';
import type { ProcessTimers, SimTime } from './sim-time.js';

const WRITE_MS_MAX = 5;
/** From its death to its next life. */
const DOWN_MS_MAX = 3_000;

/** What a file journal promises: what was waited for is there, and of the rest a part from the beginning. */
class SimJournal implements Journal {
  readonly #pending: JournalRecord[] = [];

  constructor(
    readonly state: JournalState,
    private readonly timers: ProcessTimers,
    private readonly random: SeededRandom,
  ) {}

  append(records: readonly JournalRecord[]): void {
    this.#pending.push(...records);
  }

  afterwards(call: () => void): void {
    const count = this.#pending.length;
    if (count === 0) {
      call();
      return;
    }
    const last = this.#pending[count - 1];
    this.timers.after(this.random.next() * WRITE_MS_MAX, () => {
      // Others may have been written meanwhile.
      const written = last === undefined ? 0 : this.#pending.indexOf(last) + 1;
      for (const record of this.#pending.splice(0, written)) this.state.apply(record);
      call();
    });
  }

  /** The process died: the end of what was written is torn off somewhere. */
  tear(): JournalState {
    for (const record of this.#pending.splice(0, this.random.below(this.#pending.length + 1)))
      this.state.apply(record);
    return this.state;
  }
}

/** The simulated scheduler process: one life after the other, each with the journal of the one before. */
export class SimScheduler {
  machine!: SchedulerMachine;
  runtime!: SchedulerRuntime;
  #timers!: ProcessTimers;
  #journal!: SimJournal;

  constructor(
    private readonly time: SimTime,
    private readonly network: SimNetwork,
    private readonly logger: Logger,
    private readonly random: SeededRandom,
    private readonly options: SchedulerMachineOptions,
  ) {
    this.#begin(new JournalState());
  }

  /** Killed, and started again a little later. */
  die(): void {
    if (!this.network.isServerUp) return;
    this.#timers.stop();
    this.network.serverDied();
    const state = this.#journal.tear();
    this.time.after(this.random.next() * DOWN_MS_MAX, () => {
      this.#begin(state);
      this.network.isServerUp = true;
    });
  }

  #begin(state: JournalState): void {
    this.#timers = this.time.timersOfProcess();
    this.#journal = new SimJournal(state, this.#timers, this.random);
    this.machine = new SchedulerMachine({ ...this.options, journal: true });
    this.runtime = new SchedulerRuntime({
      machine: this.machine,
      clock: this.time,
      timers: this.#timers,
      logger: this.logger,
      moduleCacheBytesMax: 1_000_000,
      journal: this.#journal,
    });
    this.runtime.recover([...state.records()]);
  }
}
