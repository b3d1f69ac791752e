import type { SeededRandom } from '@spillway/kernel';

/** How often each kind of trouble comes, per simulated second; drawn anew for each seed, so that some runs are calm. */
export interface FaultPlan {
  readonly schedulerKills: number;
  readonly workerKills: number;
  readonly workerCloses: number;
  readonly nannyKills: number;
  /** Workers that an operator retires, and nannies that are told to end and retire theirs. */
  readonly retirements: number;
  readonly nannyStops: number;
  /** Workers that an operator has replaced. */
  readonly restarts: number;
  readonly shortCuts: number;
  readonly longCuts: number;
  readonly clientCuts: number;
  readonly clientVanishes: number;
  readonly leaks: number;
  readonly fullDisks: number;
  readonly damages: number;
  readonly runaways: number;
  readonly transferFailureChance: number;
  readonly slowChance: number;
}

/** Nothing goes wrong; workers come and go on purpose. */
export const SCALE_DOWNS_ONLY: FaultPlan = {
  schedulerKills: 0,
  workerKills: 0,
  workerCloses: 0,
  nannyKills: 0,
  retirements: 0.8,
  nannyStops: 0.2,
  restarts: 0.1,
  shortCuts: 0,
  longCuts: 0,
  clientCuts: 0,
  clientVanishes: 0,
  leaks: 0,
  fullDisks: 0,
  damages: 0,
  runaways: 0,
  transferFailureChance: 0,
  slowChance: 0,
};

export function randomFaultPlan(random: SeededRandom): FaultPlan {
  const sometimes = (perSecond: number): number => (random.chance(0.5) ? random.next() * perSecond : 0);
  const plan = {
    schedulerKills: 0,
    workerKills: sometimes(0.5),
    workerCloses: sometimes(0.2),
    nannyKills: sometimes(0.05),
    retirements: sometimes(0.3),
    nannyStops: sometimes(0.1),
    restarts: sometimes(0.2),
    shortCuts: sometimes(0.5),
    longCuts: sometimes(0.1),
    clientCuts: sometimes(0.2),
    clientVanishes: sometimes(0.05),
    leaks: sometimes(0.3),
    fullDisks: sometimes(0.2),
    damages: sometimes(0.3),
    runaways: sometimes(0.2),
    transferFailureChance: random.chance(0.3) ? random.next() * 0.2 : 0,
    slowChance: random.chance(0.5) ? random.next() * 0.1 : 0,
  };
  if (!random.chance(0.3)) return plan;
  // Retirements are not in the journal: what becomes of them then is another matter.
  return { ...plan, schedulerKills: 0.1 + random.next() * 0.4, retirements: 0, nannyStops: 0, restarts: 0 };
}
