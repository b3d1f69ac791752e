/**
 * Credit by what is on its way to disk (D7; for what tasks will return, see room.ts). While too many bytes are on their way to disk no task starts, so that producers
 * cannot outrun it. What cannot be spilled is no debt, and every eviction ends, so this never stops a worker for good.
 */
import type { MemoryContext } from './context.js';
import type { Admission } from './instructions.js';
import type { Pressure } from './pressure.js';

export class Credit {
  #admission: Admission = 'open';
  #loggedReason: string | undefined;

  constructor(
    private readonly context: MemoryContext,
    private readonly pressure: Pressure,
  ) {}

  get admission(): Admission {
    return this.#admission;
  }

  /** After every event: says what has changed. */
  review(): void {
    this.#reviewDisk();
    const admission = this.#due();
    if (admission === this.#admission) return;
    this.#admission = admission;
    this.context.ask({ type: 'set-admission', admission });
  }

  #due(): Admission {
    const { evictions, thresholds, accounting } = this.context;
    const { spillDebtBytesMax, targetBytes } = thresholds;
    if (spillDebtBytesMax !== false && evictions.debtBytes > spillDebtBytesMax) return 'closed';
    if (evictions.disk.reason === undefined) return 'open';
    const isAboveTarget = targetBytes !== false && accounting.managedBytes > targetBytes;
    return isAboveTarget || this.pressure.isSpilling ? 'one-at-a-time' : 'open';
  }

  /** One message when the disk begins to refuse, one when it takes values again. */
  #reviewDisk(): void {
    const { reason } = this.context.evictions.disk;
    if (reason === this.#loggedReason) return;
    this.#loggedReason = reason;
    if (reason === undefined) this.context.log('spill.accepted', 'info', undefined);
    else this.context.log('spill.refused', 'warn', undefined, reason);
  }
}
