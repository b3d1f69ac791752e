/**
 * Finds an order in which every task of a graph comes after its dependencies, or a cycle. Works in slices. Needed only for
 * graphs that name tasks before they define them.
 */
import type { TaskKey } from '@spillway/kernel';
import type { StagedGraph } from './staged-graph.js';

/** Keys of a cycle that are reported. */
const CYCLE_KEYS_MAX = 20;

export class GraphOrder {
  /** Places in `specs`; complete once `work` has returned true, unless there is a cycle. */
  readonly order: number[] = [];
  readonly #missingCounts: Int32Array;
  readonly #dependents = new Map<number, number[]>();
  #countedIndex = 0;
  #orderedIndex = 0;

  constructor(private readonly graph: StagedGraph) {
    this.#missingCounts = new Int32Array(graph.specs.length);
  }

  /** Does about so many steps. True when done. */
  work(stepsMax: number): boolean {
    let steps = 0;
    while (this.#countedIndex < this.graph.specs.length && steps < stepsMax) steps += this.#count();
    if (this.#countedIndex < this.graph.specs.length) return false;
    while (this.#orderedIndex < this.order.length && steps < stepsMax) steps += this.#follow();
    return this.#orderedIndex === this.order.length;
  }

  /** Keys of a cycle, each depending on the next and the last on the first; `undefined` if there is none. */
  findCycle(): TaskKey[] | undefined {
    if (this.order.length === this.graph.specs.length) return undefined;
    let index = this.#missingCounts.findIndex((count) => count > 0);
    const path = new Map<number, number>();
    // Every task left over has a dependency left over: following them must come back to the path.
    while (!path.has(index)) {
      path.set(index, path.size);
      index = this.#dependencyLeftOver(index);
    }
    const start = path.get(index) ?? 0;
    const cycle = [...path.keys()].slice(start, start + CYCLE_KEYS_MAX);
    return cycle.map((place) => this.graph.specs[place]!.key);
  }

  #count(): number {
    const index = this.#countedIndex;
    this.#countedIndex += 1;
    const { dependencies } = this.graph.specs[index]!;
    for (const key of dependencies) {
      const dependency = this.graph.indexOf.get(key);
      if (dependency === undefined) continue;
      this.#missingCounts[index]! += 1;
      const dependents = this.#dependents.get(dependency);
      if (dependents === undefined) this.#dependents.set(dependency, [index]);
      else dependents.push(index);
    }
    if (this.#missingCounts[index] === 0) this.order.push(index);
    return 1 + dependencies.length;
  }

  #follow(): number {
    const dependents = this.#dependents.get(this.order[this.#orderedIndex]!) ?? [];
    this.#orderedIndex += 1;
    for (const dependent of dependents) {
      this.#missingCounts[dependent]! -= 1;
      if (this.#missingCounts[dependent] === 0) this.order.push(dependent);
    }
    return 1 + dependents.length;
  }

  #dependencyLeftOver(index: number): number {
    for (const key of this.graph.specs[index]!.dependencies) {
      const dependency = this.graph.indexOf.get(key);
      if (dependency !== undefined && this.#missingCounts[dependency]! > 0) return dependency;
    }
    return index;
  }
}
