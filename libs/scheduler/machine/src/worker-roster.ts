import type { WorkerId } from '@spillway/kernel';
import type { WorkerHello, WorkerStatus } from '@spillway/messages';
import { LoadIndex } from './load-index.js';
import type { WorkerView } from './worker-view.js';

/** Most ids of ended workers that are remembered; the oldest makes room. What they said arrives within moments. */
const ENDED_MAX = 10_000;

export type MemoryLimit = Pick<WorkerHello, 'memoryLimitBytes' | 'isLimitEnforced'>;

/** The registered workers, by id, by name, and by load; and the ids of those that must not register (again). */
export class WorkerRoster {
  readonly loads = new LoadIndex();
  readonly #byId = new Map<WorkerId, WorkerView>();
  readonly #byName = new Map<string, WorkerView>();
  readonly #ended = new Set<WorkerId>();
  readonly #paused = new Set<WorkerView>();
  readonly #byIdText: ReadonlyMap<string, WorkerView> = this.#byId;
  #leastInputBytesMax = Infinity;
  #hasChanged = false;

  get size(): number {
    return this.#byId.size;
  }

  /** Those that are paused for their memory, longest paused first. */
  get paused(): ReadonlySet<WorkerView> {
    return this.#paused;
  }

  /** Inputs that come to no more together may go to any worker. */
  get leastInputBytesMax(): number {
    return this.#leastInputBytesMax;
  }

  get(id: WorkerId): WorkerView | undefined {
    return this.#byId.get(id);
  }

  /** The one of this name or id, as users write in `workers`. */
  find(nameOrId: string): WorkerView | undefined {
    return this.#byName.get(nameOrId) ?? this.#byIdText.get(nameOrId);
  }

  named(name: string): WorkerView | undefined {
    return this.#byName.get(name);
  }

  /** In order of registration. */
  all(): Iterable<WorkerView> {
    return this.#byId.values();
  }

  add(worker: WorkerView): void {
    this.#byId.set(worker.id, worker);
    this.#byName.set(worker.name, worker);
    this.setStatus(worker, worker.status);
  }

  /** The one way to a new status of a registered worker. */
  setStatus(worker: WorkerView, status: WorkerStatus): void {
    worker.status = status;
    worker.refusesDraining = false;
    if (status === 'paused') this.#paused.add(worker);
    else this.#paused.delete(worker);
    this.loads.update(worker);
    this.#noteChange();
  }

  /** The one way to a new limit of a registered worker. */
  setLimit(worker: WorkerView, { memoryLimitBytes, isLimitEnforced }: MemoryLimit): void {
    worker.memoryLimitBytes = memoryLimitBytes;
    worker.isLimitEnforced = isLimitEnforced;
    this.#noteChange();
  }

  /** Whether a worker has come, gone or changed its status or limit since this was last asked. */
  takeHasChanged(): boolean {
    const hasChanged = this.#hasChanged;
    this.#hasChanged = false;
    return hasChanged;
  }

  /** It is retiring from now on, for whoever still refers to it. */
  remove(worker: WorkerView): void {
    worker.status = 'retiring';
    this.#paused.delete(worker);
    this.#byId.delete(worker.id);
    this.#byName.delete(worker.name);
    this.loads.remove(worker);
    this.#noteChange();
  }

  /** An id names one life of a process, and this one is over: its nanny says so, or it was replaced. */
  markEnded(id: WorkerId): void {
    this.#ended.add(id);
    if (this.#ended.size <= ENDED_MAX) return;
    for (const oldest of this.#ended) {
      this.#ended.delete(oldest);
      return;
    }
  }

  hasEnded(id: WorkerId): boolean {
    return this.#ended.has(id);
  }

  #noteChange(): void {
    this.#hasChanged = true;
    this.#leastInputBytesMax = Infinity;
    for (const { inputBytesMax } of this.all())
      this.#leastInputBytesMax = Math.min(this.#leastInputBytesMax, inputBytesMax);
  }
}
