/**
 * Brings the bytes of a finished key here: the inline value, else from a holder, the most recent first; when none of
 * them has it any more, from where the scheduler says it is now, or once it has been computed again. Several callers
 * of one key share one fetch, which is broken off when all of them have gone.
 */
import { UnavailableError, type SpillwayError } from '@spillway/kernel';
import type { Holder, Payload } from '@spillway/messages';
import type { Timers } from '@spillway/ports';
import { abortable } from './abort-listeners.js';
import type { ClusterConnection, KeyWithSize } from './cluster-connection.js';
import { HolderRequests, type FetchOutcome } from './holder-requests.js';
import { isSettled, reached, type KeyRecord, type KeyState } from './key-record.js';
import { lostForGood } from './key-table.js';
import { pauseFor, type TransferSettings } from './transfers.js';

type Finished = Extract<KeyState, { name: 'finished' }>;

/** Rounds through all holders in which none gave the value out; then it is an error. */
const FAILED_ROUNDS_MAX = 20;

interface SharedFetch {
  readonly payload: Promise<Payload>;
  readonly abort: AbortController;
  callerCount: number;
}

export class ResultFetcher {
  readonly #running = new Map<KeyRecord, SharedFetch>();
  readonly #requests: HolderRequests;

  constructor(
    private readonly connection: ClusterConnection,
    private readonly transfers: TransferSettings,
    private readonly timers: Timers,
  ) {
    this.#requests = new HolderRequests(connection, transfers, timers);
  }

  /** Waits until the key is finished and gives its bytes. Rejects with the key's error or the signal's reason. */
  async fetch(record: KeyRecord, signal: AbortSignal): Promise<Payload> {
    await reached(record, () => isSettled(record.state), signal);
    const { state } = record;
    if (state.name === 'finished' && state.inline !== undefined) return state.inline;
    if (state.name !== 'finished') throw errorOf(state);
    const shared = this.#running.get(record) ?? this.#start(record);
    shared.callerCount += 1;
    try {
      return await abortable(signal, shared.payload);
    } finally {
      shared.callerCount -= 1;
      if (shared.callerCount === 0) {
        shared.abort.abort();
        this.#running.delete(record);
      }
    }
  }

  #start(record: KeyRecord): SharedFetch {
    const abort = new AbortController();
    const shared = { payload: this.#fetch(record, abort.signal), abort, callerCount: 0 };
    // Looked at by every caller; with none left, nobody wants to know.
    shared.payload.catch(() => undefined);
    this.#running.set(record, shared);
    return shared;
  }

  async #fetch(record: KeyRecord, signal: AbortSignal): Promise<Payload> {
    let failedRounds = 0;
    let failure = 'no holder was named';
    let tried: KeyState | undefined;
    for (let round = 0; failedRounds < FAILED_ROUNDS_MAX; round += 1) {
      await reached(record, () => isSettled(record.state), signal);
      const { state } = record;
      if (state.name !== 'finished') throw errorOf(state);
      if (state.inline !== undefined) return state.inline;
      // News names the holders; after a failure without news the scheduler is asked.
      const isNews = state !== tried;
      tried = state;
      const holders = isNews ? state.holders.toReversed() : await this.#holdersNow(record, state, signal);
      const outcome = await this.#askEach(holders, { key: record.key, nbytes: state.nbytes }, signal);
      if (outcome?.type === 'arrived') return outcome.payload;
      if (outcome?.type === 'unreachable') failure = outcome.message;
      // A busy holder has it and will give it out: that may take as long as it takes.
      if (outcome?.type !== 'busy') failedRounds += 1;
      if (!isNews) await pauseFor(this.timers, this.transfers.retryMs * Math.min(round, 10), signal);
    }
    throw unobtainable(record, failure);
  }

  /** The first that arrives; else what speaks most for asking again. */
  async #askEach(
    holders: readonly Holder[],
    key: KeyWithSize,
    signal: AbortSignal,
  ): Promise<FetchOutcome | undefined> {
    let last: FetchOutcome | undefined;
    for (const holder of holders) {
      const outcome = await this.#requests.ask(holder, key, signal);
      signal.throwIfAborted();
      if (outcome.type === 'arrived') return outcome;
      if (last?.type !== 'busy') last = outcome;
    }
    return last;
  }

  /** The scheduler's present knowledge; none when the key is not in memory, of which `record` will hear. */
  async #holdersNow(record: KeyRecord, before: KeyState, signal: AbortSignal): Promise<readonly Holder[]> {
    const [info] = await this.connection.describeKeys([record.key], { signal });
    if (record.state !== before) return [];
    if (info?.state === 'memory') return info.whoHas.toReversed();
    // An answer may overtake the news on the stream: give it a moment before believing that the key is gone.
    await pauseFor(this.timers, this.transfers.retryMs, signal);
    const isUnknown = info === undefined || info.state === 'forgotten';
    if (isUnknown && record.state === before) throw lostForGood(record.key);
    return [];
  }
}

export function errorOf(state: Exclude<KeyState, Finished>): SpillwayError {
  if (state.name === 'erred' || state.name === 'cancelled') return state.error;
  throw new TypeError(`A key that is ${state.name} has no error.`);
}

function unobtainable(record: KeyRecord, failure: string): UnavailableError {
  return new UnavailableError(
    `The result of ${record.key} is in the cluster's memory, but no holder gave it out: ${failure}. ` +
      `Check that the workers run and can be reached, then call result() again.`,
    { details: { key: record.key } },
  );
}
