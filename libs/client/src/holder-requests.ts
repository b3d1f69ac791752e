/**
 * Fetches of single keys, sent out as few calls: what is asked of one worker in one turn goes in one request, bounded
 * in bytes, by the route that is known to work. Whether another holder is tried is decided by the caller.
 */
import type { TaskKey } from '@spillway/kernel';
import type { Holder, Payload } from '@spillway/messages';
import type { GatherOutcome, Timers } from '@spillway/ports';
import { onAbort } from './abort-listeners.js';
import type { ClusterConnection, KeyWithSize } from './cluster-connection.js';
import type { TransferSettings } from './transfers.js';

/** How asking one holder for one key ended. */
export type FetchOutcome =
  | { readonly type: 'arrived'; readonly payload: Payload }
  | { readonly type: 'missing' }
  | { readonly type: 'busy' }
  | { readonly type: 'unreachable'; readonly message: string };

interface Wanted extends KeyWithSize {
  readonly signal: AbortSignal;
  readonly resolve: (outcome: FetchOutcome) => void;
}

export class HolderRequests {
  readonly #waiting = new Map<string, { readonly holder: Holder; readonly wanted: Wanted[] }>();

  constructor(
    private readonly connection: ClusterConnection,
    private readonly transfers: TransferSettings,
    private readonly timers: Timers,
  ) {}

  /** Never rejects. Once the signal aborts nobody looks at the outcome any more. */
  ask(holder: Holder, key: KeyWithSize, signal: AbortSignal): Promise<FetchOutcome> {
    return new Promise((resolve) => {
      let queue = this.#waiting.get(holder.address);
      if (queue === undefined) {
        queue = { holder, wanted: [] };
        this.#waiting.set(holder.address, queue);
        this.timers.soon(() => this.#send(holder.address));
      }
      queue.wanted.push({ ...key, signal, resolve });
    });
  }

  #send(address: string): void {
    const queue = this.#waiting.get(address);
    if (queue === undefined) return;
    this.#waiting.delete(address);
    // Nobody waits for what was given up before it was asked for.
    const stillWanted = queue.wanted.filter(({ signal }) => !signal.aborted);
    for (const wanted of inRequests(stillWanted, this.transfers.requestBytesMax)) {
      void this.#request(queue.holder, wanted);
    }
  }

  async #request(holder: Holder, wanted: readonly Wanted[]): Promise<void> {
    const abort = new AbortController();
    // One request serves several callers: it is broken off only when all of them have gone.
    const stopListening = whenAllAborted(
      wanted.map(({ signal }) => signal),
      () => abort.abort(),
    );
    const outcome = await this.#fetch(holder, wanted, abort.signal);
    stopListening();
    const arrived = new Map(
      outcome.type === 'gather-busy' ? [] : outcome.values.map((v) => [v.key, v.payload]),
    );
    for (const { key, resolve } of wanted) resolve(outcomeOf(outcome, arrived.get(key)));
  }

  async #fetch(holder: Holder, wanted: readonly Wanted[], signal: AbortSignal): Promise<GatherOutcome> {
    const { reachability, idleMs } = this.transfers;
    const keys = wanted.map(({ key, nbytes }) => ({ key, nbytes }));
    if (reachability.routeTo(holder.address) === 'direct') {
      const outcome = await this.connection.fetch('direct', holder, keys, { signal, idleMs });
      if (outcome.type !== 'gather-network-failure' || signal.aborted) return outcome;
      reachability.failed(holder.address);
      if (outcome.values.length > 0) return outcome;
    }
    return this.connection.fetch('relay', holder, keys, { signal, idleMs });
  }
}

function outcomeOf(outcome: GatherOutcome, payload: Payload | undefined): FetchOutcome {
  if (payload !== undefined) return { type: 'arrived', payload };
  switch (outcome.type) {
    case 'gather-success':
      return { type: 'missing' };
    case 'gather-busy':
      return { type: 'busy' };
    case 'gather-network-failure':
      return { type: 'unreachable', message: outcome.message };
  }
}

/** Splits into requests below the bound; a single larger value goes alone. The same key is asked for once. */
function inRequests(wanted: readonly Wanted[], bytesMax: number): Wanted[][] {
  const requests: Wanted[][] = [];
  let current: Wanted[] = [];
  let keys = new Set<TaskKey>();
  let bytes = 0;
  for (const one of wanted) {
    if (current.length > 0 && (bytes + one.nbytes > bytesMax || keys.has(one.key))) {
      requests.push(current);
      current = [];
      keys = new Set();
      bytes = 0;
    }
    current.push(one);
    keys.add(one.key);
    bytes += one.nbytes;
  }
  if (current.length > 0) requests.push(current);
  return requests;
}

function whenAllAborted(signals: readonly AbortSignal[], onAllAborted: () => void): () => void {
  const waiting = signals.filter((signal) => !signal.aborted);
  let left = waiting.length;
  if (left === 0) onAllAborted();
  const noteOne = (): void => {
    left -= 1;
    if (left === 0) onAllAborted();
  };
  const stops = waiting.map((signal) => onAbort(signal, noteOne));
  return () => stops.forEach((stop) => stop());
}
