/** When something is to be done about a slot. */
import type { SlotState } from './slot.js';

/** Until its process has gone it is looked at, whatever it was asked to do. */
export const nextLookMs = (state: SlotState): number =>
  'life' in state && state.life.pid !== undefined && state.name !== 'killing'
    ? state.life.memory.nextMs
    : Infinity;

/** When its state ends by itself; `undefined` for never. */
export function deadlineOf(state: SlotState): number | undefined {
  if (state.name === 'resting') return state.startAtMs;
  if (state.name === 'quarantined') return state.releaseAtMs === false ? undefined : state.releaseAtMs;
  if (state.name === 'retiring') return state.closeAtMs;
  if (state.name === 'closing' || state.name === 'starting') return state.killAtMs;
  if (state.name === 'running') return state.life.signs.deadlineMs;
  return undefined;
}
