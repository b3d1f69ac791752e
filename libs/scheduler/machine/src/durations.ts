/**
 * What is known of the functions that tasks run: learned durations and sizes of results by function name, and how many live tasks refer to
 * each module bundle. Function references are kept once however many tasks name them.
 */
import type { ModuleHash } from '@spillway/kernel';
import { functionNameOf, type FunctionName, type FunctionRef } from '@spillway/messages';

/** Names whose duration is remembered although no task has them any more. */
const IDLE_NAMES_MAX = 10_000;

const NONE: readonly ModuleHash[] = [];

/** One function, as one reference names it. Shared by all tasks with this reference. */
export interface LearnedFunction {
  readonly ref: FunctionRef;
  readonly cost: LearnedCost;
}

/** What runs of one function name cost: of the same function, however often its bundle changes. */
export interface LearnedCost {
  readonly name: FunctionName;
  /** Mean that gives the latest run half of the weight; `undefined` before the first. */
  meanMs: number | undefined;
  /** Mean of the encoded sizes of its results, weighed alike. */
  meanOutputBytes: number | undefined;
}

interface Module {
  liveTaskCount: number;
  readonly functions: Map<string, LearnedFunction>;
}

export class FunctionTable {
  readonly #costs = new Map<FunctionName, LearnedCost>();
  readonly #bundles = new Map<ModuleHash, Module>();
  readonly #preinstalled = new Map<FunctionName, LearnedFunction>();
  readonly #idleModules = new Set<ModuleHash>();

  /** A task that refers to the function has been made. */
  acquire(ref: FunctionRef): LearnedFunction {
    if (ref.kind === 'preinstalled') return this.#find(this.#preinstalled, functionNameOf(ref), ref);
    let module = this.#bundles.get(ref.moduleHash);
    if (module === undefined) {
      module = { liveTaskCount: 0, functions: new Map() };
      this.#bundles.set(ref.moduleHash, module);
    }
    module.liveTaskCount += 1;
    return this.#find(module.functions, ref.exportName, ref);
  }

  /** Such a task has been forgotten. */
  release(learned: LearnedFunction): void {
    if (learned.ref.kind === 'preinstalled') return;
    const module = this.#bundles.get(learned.ref.moduleHash);
    if (module === undefined) return;
    module.liveTaskCount -= 1;
    if (module.liveTaskCount === 0) this.#idleModules.add(learned.ref.moduleHash);
  }

  /** Bundles that no live task refers to, each told once. */
  takeIdleModules(): readonly ModuleHash[] {
    if (this.#idleModules.size === 0) return NONE;
    const idle = [...this.#idleModules].filter((hash) => this.#bundles.get(hash)?.liveTaskCount === 0);
    this.#idleModules.clear();
    for (const hash of idle) this.#bundles.delete(hash);
    return idle;
  }

  learn({ cost }: LearnedFunction, durationMs: number, outputBytes: number): void {
    cost.meanMs = halfway(cost.meanMs, durationMs);
    cost.meanOutputBytes = halfway(cost.meanOutputBytes, outputBytes);
  }

  /** How many live tasks refer to the bundle. */
  liveTaskCount(moduleHash: ModuleHash): number {
    return this.#bundles.get(moduleHash)?.liveTaskCount ?? 0;
  }

  #find<Key>(functions: Map<Key, LearnedFunction>, key: Key, ref: FunctionRef): LearnedFunction {
    let learned = functions.get(key);
    if (learned === undefined) {
      learned = { ref, cost: this.#costOf(functionNameOf(ref)) };
      functions.set(key, learned);
    }
    return learned;
  }

  #costOf(name: FunctionName): LearnedCost {
    const known = this.#costs.get(name);
    if (known !== undefined) return known;
    // Full: the oldest name makes room. Tasks that have it go on learning by it; newer ones start anew.
    if (this.#costs.size >= IDLE_NAMES_MAX) {
      for (const oldest of this.#costs.keys()) {
        this.#costs.delete(oldest);
        break;
      }
    }
    const cost: LearnedCost = { name, meanMs: undefined, meanOutputBytes: undefined };
    this.#costs.set(name, cost);
    return cost;
  }
}

const halfway = (mean: number | undefined, latest: number): number =>
  mean === undefined ? latest : (mean + latest) / 2;
