/**
 * Which peer is asked next, and for what: pure choices over what is wanted. Peers, flights and rests are kept in
 * `peers.ts`; performing a choice is in `replicas.ts`.
 */
import type { SeededRandom, WorkerId } from '@spillway/kernel';
import type { Priority } from '@spillway/messages';
import { comparePriority } from './task.js';

/** A peer that could be asked now. */
export interface PeerOffer {
  readonly peerId: WorkerId;
  /** Of the first key it would be asked for. */
  readonly priority: Priority;
  /** How many of the wanted keys it has. */
  readonly wantedCount: number;
}

/** A key that a peer could be asked for; its size may become known better while it waits. */
export interface WantedKey {
  readonly state: { readonly nbytes: number };
}

/** Keys of one peer, best priority first. */
export interface WantedQueue<Wanted extends WantedKey> {
  peek(): Wanted | undefined;
  /** Takes what `peek` showed. */
  pop(): void;
}

export interface GatherLimits {
  readonly transferBytesMax: number | false;
  readonly gatherMessageBytesMax: number;
}

/** The most urgent key decides; then who has more of the keys; then chance, so that workers do not flock to one peer. */
export function choosePeer(offers: Iterable<PeerOffer>, random: SeededRandom): PeerOffer | undefined {
  let best: PeerOffer[] = [];
  for (const offer of offers) {
    const first = best[0];
    const order = first === undefined ? -1 : compareOffers(offer, first);
    if (order < 0) best = [offer];
    else if (order === 0) best.push(offer);
  }
  return best.length > 1 ? random.pick(best) : best[0];
}

function compareOffers(a: PeerOffer, b: PeerOffer): number {
  return comparePriority(a.priority, b.priority) || b.wantedCount - a.wantedCount;
}

/**
 * Takes keys for one gather, in order, and stops at the first that does not fit: smaller ones behind it must not keep a
 * large one waiting for ever. The first of a message may be larger than a message; with nothing in flight, larger than all.
 */
export function takeWanted<Wanted extends WantedKey>(
  queue: WantedQueue<Wanted>,
  limits: GatherLimits,
  inFlightBytes: number,
): Wanted[] {
  const taken: Wanted[] = [];
  let messageBytes = 0;
  for (let next = queue.peek(); next !== undefined; next = queue.peek()) {
    const { nbytes } = next.state;
    const total = inFlightBytes + messageBytes + nbytes;
    const isFirstOfAll = inFlightBytes === 0 && taken.length === 0;
    if (limits.transferBytesMax !== false && total > limits.transferBytesMax && !isFirstOfAll) break;
    if (taken.length > 0 && messageBytes + nbytes > limits.gatherMessageBytesMax) break;
    queue.pop();
    taken.push(next);
    messageBytes += nbytes;
  }
  return taken;
}
