/** Has a container move values out of RAM until enough is free. Whatever the user's code does, this does not reject. */
import { setImmediate } from 'node:timers/promises';
import type { ManualEviction } from '@spillway/value-container';

export interface ManualEvictionOutcome {
  readonly freedBytes: number;
  readonly end:
    | { readonly name: 'enough' }
    /** `fast` is false: it holds nothing in RAM. */
    | { readonly name: 'nothing-left' }
    | { readonly name: 'failed'; readonly cause: unknown };
}

/** Evictions that free nothing in a row, as those of empty values, before it counts as broken. */
const IDLE_EVICTS_MAX = 1000;
/** Evictions between which others have their turn: a container may answer without any waiting. */
const SLICE_COUNT = 100;

export async function evictBytes(
  container: ManualEviction,
  neededBytes: number,
): Promise<ManualEvictionOutcome> {
  let freedBytes = 0;
  try {
    for (let evictCount = 1, idleCount = 0; freedBytes < neededBytes; evictCount++) {
      if (!container.fast) return { freedBytes, end: { name: 'nothing-left' } };
      const freed = freedBy(await container.evict());
      freedBytes += freed;
      idleCount = freed > 0 ? 0 : idleCount + 1;
      if (idleCount === IDLE_EVICTS_MAX)
        throw new TypeError(`fast is true, and ${IDLE_EVICTS_MAX} evictions in a row freed nothing`);
      if (evictCount % SLICE_COUNT === 0) await setImmediate();
    }
    return { freedBytes, end: { name: 'enough' } };
  } catch (cause) {
    return { freedBytes, end: { name: 'failed', cause } };
  }
}

/** Throws the reason for which nothing was freed, or what is wrong with the answer. */
function freedBy(answer: unknown): number {
  const said = typeof answer === 'object' && answer !== null ? answer : {};
  const reason: unknown = Reflect.get(said, 'reason');
  if (typeof reason === 'string') throw new Error(reason);
  const freedBytes: unknown = Reflect.get(said, 'freedBytes');
  if (typeof freedBytes === 'number' && freedBytes >= 0 && Number.isFinite(freedBytes)) return freedBytes;
  throw new TypeError(`evict gave neither the bytes that it freed nor a reason`);
}
