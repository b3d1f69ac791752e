/** When the next worker of a slot starts after a death: at once, after a rest, or not before its quarantine is over. */

export interface RestartPolicy {
  /** Rest after the second quick death in a row; doubles with each further one. The first restart is immediate. */
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** A worker that lived this long was not a quick death. */
  readonly stableMs: number;
  /** So many deaths within the window put the slot in quarantine; `false`: nothing does. */
  readonly quarantineDeaths: number | false;
  readonly quarantineWindowMs: number;
  /** How long a quarantine lasts unless an operator ends it; `false`: until then. */
  readonly quarantineReleaseMs: number | false;
}

/** How long a slot rests before its next worker, after so many quick deaths in a row. */
export function restMs(quickDeathCount: number, policy: RestartPolicy): number {
  if (quickDeathCount <= 1) return 0;
  return Math.min(policy.backoffMaxMs, policy.backoffBaseMs * 2 ** (quickDeathCount - 2));
}

/** The deaths of one slot, as far as they count. */
export class DeathHistory {
  /** In a row, each soon after its start. */
  #quickCount = 0;
  /** Oldest first; no more than make a quarantine. */
  #deathsAtMs: number[] = [];

  constructor(private readonly policy: RestartPolicy) {}

  /** `isQuick`: it had not lived long, and was not asked to end. `isDeath`: it was not asked to end. */
  note({ isDeath, isQuick }: { readonly isDeath: boolean; readonly isQuick: boolean }, nowMs: number): void {
    this.#quickCount = isQuick ? this.#quickCount + 1 : 0;
    const { quarantineDeaths } = this.policy;
    if (!isDeath || quarantineDeaths === false) return;
    this.#deathsAtMs = [...this.#deathsAtMs, nowMs].slice(-quarantineDeaths);
  }

  get restMs(): number {
    return restMs(this.#quickCount, this.policy);
  }

  /** How many deaths there were within the window, if that is too many. */
  tooMany(nowMs: number): { readonly deaths: number; readonly withinMs: number } | undefined {
    const { quarantineDeaths, quarantineWindowMs } = this.policy;
    const [oldestMs] = this.#deathsAtMs;
    if (oldestMs === undefined || this.#deathsAtMs.length !== quarantineDeaths) return undefined;
    const withinMs = Math.round(nowMs - oldestMs);
    return withinMs > quarantineWindowMs ? undefined : { deaths: this.#deathsAtMs.length, withinMs };
  }

  /** The slot was released: its next worker starts with a clean record. */
  forget(): void {
    this.#quickCount = 0;
    this.#deathsAtMs = [];
  }
}
