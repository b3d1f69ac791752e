/** Which deaths are explained by what the tool did: each has a verdict, and the verdict has to fit. */

/** For so long after a trouble of its links a program may end because of it: silence, grace, closing. */
const LINK_ECHO_MS = 30_000;
/** For so long after a bomb has gone off may a worker die of memory. */
const BOMB_ECHO_MS = 5_000;

/** What was done that may end a worker. */
export class Reasons {
  readonly #killedPids = new Set<number>();
  readonly #stoppedPids = new Set<number>();
  readonly #linkTroubleUntilMs = new Map<string, number>();
  readonly #liveBombs = new Set<object>();
  #lastBombAtMs = -Infinity;
  /** When each ended. */
  readonly #troublesMs: number[] = [];
  isShuttingDown = false;

  killed(pid: number, nowMs: number): void {
    this.#killedPids.add(pid);
    this.disturbed(nowMs);
  }

  stopped(pid: number, untilMs: number): void {
    this.#stoppedPids.add(pid);
    this.disturbed(untilMs);
  }

  /** Anything after which a result may have to be computed once more. */
  disturbed(untilMs: number): void {
    this.#troublesMs.push(untilMs);
  }

  /** Nothing gets through to this nanny's programs, or its processes stand still, until then. */
  silenced(nanny: string, untilMs: number): void {
    this.#linkTroubleUntilMs.set(nanny, Math.max(this.#linkTroubleUntilMs.get(nanny) ?? 0, untilMs));
    this.disturbed(untilMs);
  }

  bombLit(bomb: object): void {
    this.#liveBombs.add(bomb);
  }

  bombOut(bomb: object, nowMs: number): void {
    this.#liveBombs.delete(bomb);
    this.#lastBombAtMs = nowMs;
    this.disturbed(nowMs);
  }

  /** How often a task that was submitted then may have been run again by now: once for each thing that happened. */
  rerunsSince(sinceMs: number): number {
    const troubles = this.#troublesMs.filter((atMs) => atMs >= sinceMs - LINK_ECHO_MS);
    return troubles.length + this.#liveBombs.size;
  }

  /** `cause`: of the verdict. */
  explains(cause: string, { nanny, pid, nowMs }: { nanny: string; pid: number; nowMs: number }): boolean {
    switch (cause) {
      case 'signal':
        return this.#killedPids.has(pid);
      case 'hung':
        return this.#stoppedPids.has(pid);
      case 'memory-limit':
      case 'heap-exhausted':
        return this.#liveBombs.size > 0 || nowMs - this.#lastBombAtMs < BOMB_ECHO_MS;
      case 'recycled':
        // Of its own accord: its memory, or a thread that did not end. It says which.
        return true;
      case 'closed':
        return this.isShuttingDown || this.wasSilenced(nanny, nowMs);
      default:
        return false;
    }
  }

  wasSilenced(nanny: string, nowMs: number): boolean {
    return nowMs - (this.#linkTroubleUntilMs.get(nanny) ?? -Infinity) < LINK_ECHO_MS;
  }
}
