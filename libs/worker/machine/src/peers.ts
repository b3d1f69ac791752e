/**
 * Peers that hold what is wanted here: their addresses, which keys in `fetch` they could be asked for, who rests after
 * `busy`, and the gathers under way. A flight outlives its peer: it stays until its outcome.
 */
import { Heap } from 'heap-js';
import { assert, type WorkerId } from '@spillway/kernel';
import type { Holder, Priority } from '@spillway/messages';
import type { PeerOffer, WantedQueue } from './gathering.js';
import { comparePriority, type FetchState, type WorkerTask } from './task.js';

/** One place in a peer's queue. Immutable; stale when its task is not (or no longer) to be fetched from this peer. */
interface WantedEntry {
  readonly task: WorkerTask;
  readonly state: FetchState;
  readonly priority: Priority;
  readonly order: number;
}

export interface Flight {
  readonly peerId: WorkerId;
  readonly bytes: number;
  /** What it was asked for and is still wanted from it are the tasks in `flight` with this peer. */
  readonly tasks: readonly WorkerTask[];
}

const STALE_COUNT_MIN = 64;

/** Invariant: `wanted` is exactly the tasks in `fetch` that name this peer as a holder. */
export class Peer implements WantedQueue<WantedEntry> {
  readonly wanted = new Set<WorkerTask>();
  restUntilMs: number | undefined;
  /** Gathers in a row that failed on the way. */
  failureCount = 0;
  readonly #queue = new Heap<WantedEntry>(
    (a, b) => comparePriority(a.priority, b.priority) || a.order - b.order,
  );

  constructor(
    readonly id: WorkerId,
    public address: string,
  ) {}

  /** Places in the queue, stale ones included. */
  get entryCount(): number {
    return this.#queue.length;
  }

  push(entry: WantedEntry): void {
    this.wanted.add(entry.task);
    this.#queue.push(entry);
    if (this.#queue.length > STALE_COUNT_MIN + 2 * this.wanted.size) {
      this.#queue.init(this.#queue.toArray().filter((kept) => this.#isWanted(kept)));
    }
  }

  peek(): WantedEntry | undefined {
    let top = this.#queue.peek();
    while (top !== undefined && !this.#isWanted(top)) {
      this.#queue.pop();
      top = this.#queue.peek();
    }
    return top;
  }

  /** Takes what `peek` showed; other places of the same task (its priority rose) are stale from here on. */
  pop(): void {
    const top = this.#queue.pop();
    if (top !== undefined) this.wanted.delete(top.task);
  }

  #isWanted({ task, state, priority }: WantedEntry): boolean {
    return task.state === state && state.priority === priority && this.wanted.has(task);
  }
}

export class Peers {
  readonly #peers = new Map<WorkerId, Peer>();
  readonly #resting = new Set<Peer>();
  readonly #flights = new Map<WorkerId, Flight>();
  #inFlightBytes = 0;
  #nextOrder = 0;
  /** Something changed that may let another gather start. */
  mayGather = false;

  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  get flightCount(): number {
    return this.#flights.size;
  }

  get(id: WorkerId): Peer | undefined {
    return this.#peers.get(id);
  }

  all(): Iterable<Peer> {
    return this.#peers.values();
  }

  flights(): Iterable<Flight> {
    return this.#flights.values();
  }

  /** Learns of a peer, or of its address. */
  note(holder: Holder): void {
    const known = this.#peers.get(holder.workerId);
    if (known === undefined) this.#peers.set(holder.workerId, new Peer(holder.workerId, holder.address));
    else known.address = holder.address;
  }

  /** Puts a task in `fetch` into the queue of one of its holders; again, when its priority rose. */
  want(task: WorkerTask, state: FetchState, holderId: WorkerId): void {
    const order = this.#nextOrder++;
    const { priority } = state;
    this.#peers.get(holderId)?.push({ task, state, priority, order });
    this.mayGather = true;
  }

  unwant(task: WorkerTask, state: FetchState): void {
    for (const id of state.holders) this.#peers.get(id)?.wanted.delete(task);
  }

  /** Drops a peer; its flight, if any, stays. */
  remove(id: WorkerId): Peer | undefined {
    const peer = this.#peers.get(id);
    if (peer === undefined) return undefined;
    this.#peers.delete(id);
    this.#resting.delete(peer);
    return peer;
  }

  rest(id: WorkerId, untilMs: number): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    peer.restUntilMs = untilMs;
    this.#resting.add(peer);
  }

  endRests(nowMs: number): void {
    for (const peer of this.#resting) {
      if (peer.restUntilMs !== undefined && peer.restUntilMs > nowMs) continue;
      peer.restUntilMs = undefined;
      this.#resting.delete(peer);
      this.mayGather = true;
    }
  }

  /** When the first rest ends of a peer that something is wanted from. */
  get nextRestEndMs(): number | undefined {
    let next: number | undefined;
    for (const { restUntilMs, wanted } of this.#resting) {
      if (restUntilMs === undefined || wanted.size === 0) continue;
      if (next === undefined || restUntilMs < next) next = restUntilMs;
    }
    return next;
  }

  /** Peers that could be asked now: something is wanted, none under way, not resting. */
  *offers(): Generator<PeerOffer> {
    for (const peer of this.#peers.values()) {
      if (peer.wanted.size === 0 || peer.restUntilMs !== undefined || this.#flights.has(peer.id)) continue;
      const top = peer.peek();
      assert(top !== undefined, `Peer ${peer.id} has wanted keys that are not in its queue`);
      yield { peerId: peer.id, priority: top.priority, wantedCount: peer.wanted.size };
    }
  }

  startFlight(flight: Flight): void {
    assert(!this.#flights.has(flight.peerId), `A second gather of peer ${flight.peerId} at the same time`);
    this.#flights.set(flight.peerId, flight);
    this.#inFlightBytes += flight.bytes;
  }

  /** `undefined`: no gather of this peer is under way. */
  endFlight(peerId: WorkerId): Flight | undefined {
    const flight = this.#flights.get(peerId);
    if (flight === undefined) return undefined;
    this.#flights.delete(peerId);
    this.#inFlightBytes -= flight.bytes;
    this.mayGather = true;
    return flight;
  }

  /** Drops all peers; flights stay. */
  clear(): void {
    this.#peers.clear();
    this.#resting.clear();
  }
}
