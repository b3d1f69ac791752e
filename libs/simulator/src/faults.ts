import type { SeededRandom } from '@spillway/kernel';

/** How often each kind of trouble comes, per simulated second; drawn anew for each seed, so that some runs are calm. */
export interface FaultPlan {
  readonly workerKills: number;
  readonly workerCloses: number;
  readonly nannyKills: number;
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

export function randomFaultPlan(random: SeededRandom): FaultPlan {
  const sometimes = (perSecond: number): number => (random.chance(0.5) ? random.next() * perSecond : 0);
  return {
    workerKills: sometimes(0.5),
    workerCloses: sometimes(0.2),
    nannyKills: sometimes(0.05),
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
}
