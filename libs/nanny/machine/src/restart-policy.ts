export interface RestartPolicy {
  /** Rest after the second quick death in a row; doubles with each further one. The first restart is immediate. */
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** A worker that lived this long was not a quick death. */
  readonly stableMs: number;
}

/** How long a slot rests before its next worker, after so many quick deaths in a row. */
export function restMs(quickDeathCount: number, policy: RestartPolicy): number {
  if (quickDeathCount <= 1) return 0;
  return Math.min(policy.backoffMaxMs, policy.backoffBaseMs * 2 ** (quickDeathCount - 2));
}
