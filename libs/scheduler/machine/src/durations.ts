/**
 * What is known of the functions that tasks run: learned durations by function name, and how many live tasks refer to
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
  readonly duration: LearnedDuration;
}

/** Durations of one function name: of the same function, however often its bundle changes. */
export interface LearnedDuration {
  readonly name: FunctionName;
  /** Mean that gives the latest run half of the weight; `undefined` before the first. */
  meanMs: number | undefined;
}

interface Module {
  liveTaskCount: number;
  readonly functions: Map<string, LearnedFunction>;
}

export class FunctionTable {
  readonly #durations = new Map<FunctionName, LearnedDuration>();
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

  learn(learned: LearnedFunction, durationMs: number): void {
    const { duration } = learned;
    duration.meanMs = duration.meanMs === undefined ? durationMs : (duration.meanMs + durationMs) / 2;
  }

  /** How many live tasks refer to the bundle. */
  liveTaskCount(moduleHash: ModuleHash): number {
    return this.#bundles.get(moduleHash)?.liveTaskCount ?? 0;
  }

  #find<Key>(functions: Map<Key, LearnedFunction>, key: Key, ref: FunctionRef): LearnedFunction {
    let learned = functions.get(key);
    if (learned === undefined) {
      learned = { ref, duration: this.#durationOf(functionNameOf(ref)) };
      functions.set(key, learned);
    }
    return learned;
  }

  #durationOf(name: FunctionName): LearnedDuration {
    const known = this.#durations.get(name);
    if (known !== undefined) return known;
    // Full: the oldest name makes room. Tasks that have it go on learning by it; newer ones start anew.
    if (this.#durations.size >= IDLE_NAMES_MAX) {
      for (const oldest of this.#durations.keys()) {
        this.#durations.delete(oldest);
        break;
      }
    }
    const duration: LearnedDuration = { name, meanMs: undefined };
    this.#durations.set(name, duration);
    return duration;
  }
}
