import type { SeededRandom } from '@spillway/kernel';
import type { RetirementReport } from '@spillway/messages';
import type { SimNanny } from './sim-nanny.js';
import type { SimWorld } from './sim-world.js';

/** Sums over all retirements that ended. */
export interface RetirementTotals {
  readonly retired: number;
  readonly died: number;
  readonly copied: number;
  readonly takenBack: number;
  readonly recomputed: number;
  readonly lost: number;
}

/** Long enough for everything that may be under way. */
const LONG_DEADLINE_MS = 120_000;
/** The timer of the scheduler goes off at the deadline, to the millisecond. */
const DEADLINE_SLACK_MS = 1;
/** Where nothing goes wrong: so many nannies of so many workers each, of which so many stay at any time. */
export const CALM_NANNIES = 3;
export const CALM_WORKERS = 2;
const CALM_STAYING = 2;

/** Has workers retire, and nannies end, at random moments; sees to it that each retirement ends in time and is told of. */
export class SimOperator {
  readonly totals = { retired: 0, died: 0, copied: 0, takenBack: 0, recomputed: 0, lost: 0 };
  #broken: Error | undefined;

  constructor(
    private readonly world: SimWorld,
    private readonly random: SeededRandom,
    /** Nothing goes wrong: some workers stay, and those that leave have time enough. */
    private readonly isCalm: boolean,
  ) {}

  /** Throws what was wrong with a retirement. */
  check(): void {
    if (this.#broken !== undefined) throw this.#broken;
  }

  retireSome(): void {
    this.#retire().catch((error: unknown) => {
      this.#broken = error instanceof Error ? error : new Error(String(error));
    });
  }

  /** One or two, or all there are. */
  async #retire(): Promise<void> {
    const { scheduler } = this.world;
    const count = this.isCalm ? 1 : this.random.chance(0.1) ? Infinity : 1 + this.random.below(2);
    const workers = scheduler.listWorkers().map(({ name }) => name);
    if (this.isCalm && this.#runningCount() <= CALM_STAYING) return;
    while (workers.length > count) workers.splice(this.random.below(workers.length), 1);
    if (workers.length === 0) return;
    const deadlineMs = this.#deadlineMs();
    const request = { workers, deadlineMs, reason: 'simulated' };
    const startedAtMs = this.world.time.nowMs();
    let last: readonly RetirementReport[] = [];
    for await (const reports of scheduler.retireWorkers(request, new AbortController().signal))
      last = reports;
    const tookMs = this.world.time.nowMs() - startedAtMs;
    if (tookMs > deadlineMs + DEADLINE_SLACK_MS)
      throw new Error(`${workers.join(' ')} took ${tookMs} ms to retire and had ${deadlineMs}.`);
    for (const report of last) this.#noteRetirement(report);
  }

  #runningCount(): number {
    return this.world.scheduler.listWorkers().filter(({ status }) => status === 'running').length;
  }

  #deadlineMs(): number {
    return this.isCalm ? LONG_DEADLINE_MS : this.random.below(6_000);
  }

  #noteRetirement(report: RetirementReport): void {
    if (report.outcome === 'retiring') throw new Error(`${report.name} is said to retire still.`);
    const { totals } = this;
    totals[report.outcome] += 1;
    totals.copied += report.copiedCount;
    totals.takenBack += report.takenBackCount;
    totals.recomputed += report.recomputedCount;
    totals.lost += report.lostCount;
  }

  /** SIGTERM. */
  stopSome(nannies: readonly SimNanny[]): void {
    if (this.isCalm && this.#runningCount() < CALM_WORKERS + CALM_STAYING) return;
    this.random.pick(nannies)?.stop(this.#deadlineMs());
  }
}
