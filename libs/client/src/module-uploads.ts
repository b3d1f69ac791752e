/**
 * Sees to it that the cluster has the code of the functions that are submitted: each bundle is uploaded once, under
 * its content hash, and asked for again after a while, since the cluster may drop what nothing has used.
 */
import { FunctionNotFoundError, type ModuleHash } from '@spillway/kernel';
import type { FunctionRef } from '@spillway/messages';
import type { Clock } from '@spillway/ports';
import type { ClusterConnection } from './cluster-connection.js';

/** How long an answer that the cluster has a bundle is believed. */
const BELIEVE_MS = 10_000;

interface KnownModule {
  readonly bytes: Uint8Array;
  uploadedAtMs: number;
  pending: Promise<void> | undefined;
}

export class ModuleUploads {
  readonly #modules = new Map<ModuleHash, KnownModule>();

  constructor(
    private readonly connection: ClusterConnection,
    private readonly clock: Clock,
  ) {}

  /** Makes the bundle known here; it travels when first used. */
  add(hash: ModuleHash, bytes: Uint8Array): void {
    if (this.#modules.has(hash)) return;
    this.#modules.set(hash, { bytes, uploadedAtMs: -Infinity, pending: undefined });
  }

  /** Resolves once the workers can find the function; `undefined` when they can already. */
  ready(ref: FunctionRef): Promise<void> | undefined {
    if (ref.kind === 'preinstalled') return undefined;
    const known = this.#modules.get(ref.moduleHash);
    if (known === undefined) return this.#mustBeThere(ref.moduleHash);
    if (known.pending !== undefined) return known.pending;
    if (this.clock.nowMs() - known.uploadedAtMs < BELIEVE_MS) return undefined;
    return this.#ensure(ref.moduleHash, known);
  }

  #ensure(hash: ModuleHash, known: KnownModule): Promise<void> {
    const pending = this.#upload(hash, known).finally(() => (known.pending = undefined));
    // Looked at by those who need it; each of them sees the failure.
    pending.catch(() => undefined);
    known.pending = pending;
    return pending;
  }

  async #upload(hash: ModuleHash, known: KnownModule): Promise<void> {
    if (!(await this.connection.hasModule(hash))) await this.connection.uploadModule(hash, known.bytes);
    known.uploadedAtMs = this.clock.nowMs();
  }

  /** A handle that another client made: its bundle is not here. */
  async #mustBeThere(hash: ModuleHash): Promise<void> {
    if (await this.connection.hasModule(hash)) return;
    throw new FunctionNotFoundError(
      `The module ${hash} was loaded by another client and is not in this cluster. Call load() on this client.`,
      { details: { moduleHash: hash } },
    );
  }
}
