import type { Core } from './core.js';

/** Work too long for one event: done in slices, a slice at each tick, taking turns with other jobs. */
export interface Job {
  /** Does up to `stepsMax` steps. True when there is nothing left to do. */
  work(core: Core, stepsMax: number): boolean;
}

export class JobQueue {
  readonly #jobs: Job[] = [];

  get isEmpty(): boolean {
    return this.#jobs.length === 0;
  }

  /** Does a first slice now, and the rest at the coming ticks. */
  start(core: Core, job: Job): void {
    if (!job.work(core, core.options.commitStepsMax)) this.#jobs.push(job);
  }

  /** Begins at the next tick. */
  add(job: Job): void {
    this.#jobs.push(job);
  }

  /** One slice of the job whose turn it is. */
  workOn(core: Core): void {
    const job = this.#jobs.shift();
    if (job !== undefined && !job.work(core, core.options.commitStepsMax)) this.#jobs.push(job);
  }
}
