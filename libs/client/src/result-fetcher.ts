/**
 * Brings the bytes of a finished key here: the inline value, else from a holder, the most recent first; when none of
 * them has it any more, from where the scheduler says it is now, or once it has been computed again. Several callers
 * of one key share one fetch, which is broken off when all of them have gone.
 */
import { LostDataError, type SpillwayError } from '@spillway/kernel';
import type { Holder, KeyInfo, Payload } from '@spillway/messages';
import type { Timers } from '@spillway/ports';
import type { ClusterConnection } from './cluster-connection.js';
import { HolderRequests, type FetchOutcome } from './holder-requests.js';
import { isSettled, reached, type KeyRecord, type KeyState } from './key-record.js';
import { lostForGood } from './key-table.js';
import { pauseFor, type TransferSettings } from './transfers.js';

type Finished = Extract<KeyState, { name: 'finished' }>;

/** Fetches of a key that no holder gives out although the scheduler names holders; then it is an error. */
const ROUNDS_MAX = 20;

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
      return await abortable(shared.payload, signal);
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
    let lastOutcome: FetchOutcome | undefined;
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      await reached(record, () => isSettled(record.state), signal);
      const { state } = record;
      if (state.name !== 'finished') throw errorOf(state);
      if (state.inline !== undefined) return state.inline;
      const holders = round === 0 ? state.holders.toReversed() : await this.#holdersNow(record, state, signal);
      for (const holder of holders) {
        lastOutcome = await this.#requests.ask(holder, { key: record.key, nbytes: state.nbytes }, signal);
        signal.throwIfAborted();
        if (lastOutcome.type === 'arrived') return lastOutcome.payload;
      }
      if (round > 0) await pauseFor(this.timers, this.transfers.retryMs * Math.min(round, 10), signal);
    }
    throw unobtainable(record, lastOutcome);
  }

  /** The scheduler's present knowledge; none when the key is being computed again and `record` will hear of it. */
  async #holdersNow(record: KeyRecord, before: KeyState, signal: AbortSignal): Promise<readonly Holder[]> {
    const [info] = await this.connection.describeKeys([record.key], { signal });
    if (record.state !== before) return [];
    if (info?.state === 'memory') return info.whoHas.toReversed();
    if (info === undefined || info.state === 'forgotten') await this.#newsOrLost(record, before, signal);
    else await this.#newsOr(record, before, info, signal);
    return [];
  }

  /** What the stream says about the key may be behind what was answered: gives it a moment before giving up. */
  async #newsOrLost(record: KeyRecord, before: KeyState, signal: AbortSignal): Promise<void> {
    await pauseFor(this.timers, this.transfers.retryMs, signal);
    if (record.state === before) throw lostForGood(record.key);
  }

  async #newsOr(record: KeyRecord, before: KeyState, _info: KeyInfo, signal: AbortSignal): Promise<void> {
    if (record.state === before) await pauseFor(this.timers, this.transfers.retryMs, signal);
  }
}

export function errorOf(state: Exclude<KeyState, Finished>): SpillwayError {
  if (state.name === 'erred' || state.name === 'cancelled') return state.error;
  throw new TypeError(`A key that is ${state.name} has no error.`);
}

function unobtainable(record: KeyRecord, outcome: FetchOutcome | undefined): LostDataError {
  const why = outcome?.type === 'unreachable' ? outcome.message : (outcome?.type ?? 'no holder was named');
  return new LostDataError(
    `The result of ${record.key} is in the cluster's memory, but no holder gave it out: ${why}. ` +
      `Check that the workers run and can be reached, and call result() again.`,
    { details: { key: record.key } },
  );
}

/** The promise, unless the signal aborts before. What is behind it goes on for others. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // The reason is the caller's own and is kept as it is.
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
