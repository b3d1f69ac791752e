/**
 * Which way to each worker's data service: straight, or through the scheduler when it could not be reached (outside of
 * its network, behind NAT). Remembered for a while, so that not every transfer waits for the same silence.
 */
import type { Clock } from '@spillway/ports';
import type { Route } from './cluster-connection.js';

export class Reachability {
  readonly #relayUntilMs = new Map<string, number>();

  constructor(
    private readonly clock: Clock,
    private readonly rememberMs: number,
  ) {}

  routeTo(address: string): Route {
    const untilMs = this.#relayUntilMs.get(address);
    if (untilMs === undefined) return 'direct';
    if (this.clock.nowMs() < untilMs) return 'relay';
    this.#relayUntilMs.delete(address);
    return 'direct';
  }

  /** The worker did not answer directly. */
  failed(address: string): void {
    this.#relayUntilMs.set(address, this.clock.nowMs() + this.rememberMs);
  }
}
