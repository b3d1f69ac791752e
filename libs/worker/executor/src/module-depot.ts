/**
 * Brings module bundles to this machine's disk, where threads load them: fetched once per hash, checked against the
 * hash, written whole or not at all. One that the disk does not take is kept in memory, for threads to be given: a full disk
 * fails no task. Nor does a connection that breaks: the module is asked for again, for as long as somebody waits. Knows what is in use, so that unloading never takes a file from under a run.
 */
import { createHash } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ClusterUnreachableError,
  FunctionNotFoundError,
  ModuleNotLoadableError,
  SpillwayError,
  UnavailableError,
  type ModuleHash,
} from '@spillway/kernel';
import { MODULE_BYTES_MAX, type RemoteError, toRemoteError } from '@spillway/messages';
import type { ModuleSource, Timers } from '@spillway/ports';
import { bundleFileName, isModuleHash } from './bundle-file.js';
import { boundedText } from './error-text.js';

/** Where a module stands. A failure is kept as long as someone waits for the module; the next one tries again. */
export type ModuleState =
  | { readonly name: 'fetching' }
  /** `bytes`: of one that is not on disk. */
  | { readonly name: 'ready'; readonly bytes?: Uint8Array }
  | { readonly name: 'failed'; readonly error: RemoteError; readonly mayRetry: boolean };

/** After a fetch whose connection broke; doubled each time, up to the second. */
const REST_MS = 50;
const REST_MS_MAX = 2000;

interface Shelf {
  state: ModuleState;
  usersCount: number;
  isUnwanted: boolean;
}

export interface DepotListener {
  /** A module that was `fetching` is something else now. */
  onChange(): void;
  /** The disk did not take a module, for this reason: it is kept in memory. */
  onDiskRefused(hash: ModuleHash, reason: string): void;
}

export interface DepotOptions {
  readonly source: ModuleSource;
  readonly folder: string;
  readonly timers: Timers;
  readonly listener: DepotListener;
}

/** A wait that can be cut short. */
interface Rest {
  readonly end: () => void;
}

export class ModuleDepot {
  readonly #shelves = new Map<ModuleHash, Shelf>();
  /** Files on their way out: one of the same name must not be written before they are gone. */
  readonly #removals = new Map<ModuleHash, Promise<void>>();
  readonly #source: ModuleSource;
  readonly #folder: string;
  readonly #timers: Timers;
  readonly #listener: DepotListener;
  readonly #rests = new Set<Rest>();
  #isClosed = false;

  constructor({ source, folder, timers, listener }: DepotOptions) {
    this.#source = source;
    this.#folder = folder;
    this.#timers = timers;
    this.#listener = listener;
  }

  /** What is not here by now does not come any more. */
  close(): void {
    this.#isClosed = true;
    for (const rest of this.#rests) rest.end();
  }

  /** Keeps the module at hand, fetching it if need be, until as many `release` calls. */
  retain(hash: ModuleHash): void {
    let shelf = this.#shelves.get(hash);
    if (shelf === undefined) {
      shelf = { state: { name: 'fetching' }, usersCount: 0, isUnwanted: false };
      this.#shelves.set(hash, shelf);
      void this.#fill(hash, shelf);
    }
    shelf.usersCount += 1;
    shelf.isUnwanted = false;
  }

  release(hash: ModuleHash): void {
    const shelf = this.#shelves.get(hash);
    if (shelf === undefined) return;
    shelf.usersCount -= 1;
    this.#clearAway(hash, shelf);
  }

  /** Requires: retained. */
  state(hash: ModuleHash): ModuleState {
    return this.#shelves.get(hash)?.state ?? { name: 'fetching' };
  }

  /** Drops the modules, those in use as soon as they are not. */
  unload(hashes: readonly ModuleHash[]): void {
    for (const hash of hashes) {
      const shelf = this.#shelves.get(hash);
      if (shelf === undefined) continue;
      shelf.isUnwanted = true;
      this.#clearAway(hash, shelf);
    }
  }

  /** A failure goes with the last who waited for it, a module when it is unwanted too; neither while it is fetched. */
  #clearAway(hash: ModuleHash, { state, usersCount, isUnwanted }: Shelf): void {
    if (usersCount > 0 || state.name === 'fetching' || (state.name === 'ready' && !isUnwanted)) return;
    this.#shelves.delete(hash);
    if (state.name !== 'ready') return;
    const removal = rm(this.#pathOf(hash), { force: true })
      // A file that stays does no harm: it is written anew before it is used again.
      .catch(() => undefined)
      .finally(() => this.#removals.delete(hash));
    this.#removals.set(hash, removal);
  }

  async #fill(hash: ModuleHash, shelf: Shelf): Promise<void> {
    try {
      const bytes = await this.#fetch(hash, shelf);
      shelf.state = (await this.#tryWrite(hash, bytes)) ? { name: 'ready' } : { name: 'ready', bytes };
    } catch (error) {
      shelf.state = failureOf(hash, error);
    }
    this.#clearAway(hash, shelf);
    this.#listener.onChange();
  }

  async #fetch(hash: ModuleHash, shelf: Shelf): Promise<Uint8Array> {
    if (!isModuleHash(hash)) {
      throw new FunctionNotFoundError(
        `${boundedText(hash, 100)} is not the SHA-256 of a module (64 hex digits)`,
      );
    }
    for (let restMs = REST_MS; ; restMs = Math.min(2 * restMs, REST_MS_MAX)) {
      try {
        const bytes = await this.#source.fetch(hash);
        checkBundle(hash, bytes);
        return bytes;
      } catch (error) {
        if (!isConnectionBroken(error)) throw error;
        await this.#rest(restMs);
        if (shelf.usersCount === 0 || this.#isClosed) throw error;
      }
    }
  }

  #rest(restMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#timers.after(this.#isClosed ? 0 : restMs, () => rest.end());
      const rest: Rest = {
        end: () => {
          timer.cancel();
          this.#rests.delete(rest);
          resolve();
        },
      };
      this.#rests.add(rest);
    });
  }

  /** Says whether the disk took it. */
  async #tryWrite(hash: ModuleHash, bytes: Uint8Array): Promise<boolean> {
    const path = this.#pathOf(hash);
    const unfinished = `${path}.${process.pid}.${performance.now()}`;
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await this.#removals.get(hash);
      await writeFile(unfinished, bytes, { mode: 0o600 });
      await rename(unfinished, path);
      return true;
    } catch (error) {
      this.#listener.onDiskRefused(hash, error instanceof Error ? error.message : String(error));
      await rm(unfinished, { force: true }).catch(() => undefined);
      return false;
    }
  }

  #pathOf(hash: ModuleHash): string {
    return join(this.#folder, bundleFileName(hash));
  }
}

function checkBundle(hash: ModuleHash, bytes: Uint8Array): void {
  if (bytes.byteLength > MODULE_BYTES_MAX) {
    throw new ModuleNotLoadableError(
      `Module ${hash} has ${bytes.byteLength} bytes; at most ${MODULE_BYTES_MAX} are loaded`,
    );
  }
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual === hash) return;
  throw new FunctionNotFoundError(
    `The bytes of module ${hash} do not match its hash (they have ${actual}). Upload the module again.`,
    { details: { moduleHash: hash } },
  );
}

/** Nothing came of the call, or the scheduler could not be reached: neither says anything of the module. */
const isConnectionBroken = (error: unknown): boolean =>
  error instanceof UnavailableError || error instanceof ClusterUnreachableError;

/** What the cluster says of a module is final; anything else may do better next time. */
function failureOf(hash: ModuleHash, error: unknown): ModuleState {
  if (error instanceof SpillwayError) {
    const isFinal = error instanceof FunctionNotFoundError || error instanceof ModuleNotLoadableError;
    return { name: 'failed', error: toRemoteError(error), mayRetry: !isFinal };
  }
  const reason = error instanceof Error ? error.message : String(error);
  const wrapped = new ModuleNotLoadableError(
    `Module ${hash} could not be brought to this worker: ${reason}`,
    {
      details: { moduleHash: hash },
      cause: error,
    },
  );
  return { name: 'failed', error: toRemoteError(wrapped), mayRetry: true };
}
