/**
 * Walks a value and adds up what its objects take, each once however often it is met, without recursion and within a
 * bound of work. What was sampled stands for what was not: each object has a weight, which multiplies along the way from
 * the root. An object that is met again by another way is common to what the two ways have in common, and weighs as that.
 */
import { billObject, isObject, type Bill } from './object-bytes.js';
import { primitiveBytes } from './primitive-bytes.js';
import { registeredBytes } from './sizeof-registry.js';
import { sampleIndexes, SAMPLE_COUNT_MAX } from './spread.js';
import { OPAQUE_BYTES } from './v8-layout.js';

/** Objects found before those not yet looked at are thinned out to a sample. */
const FOUND_COUNT_MAX = 5000;
/** How often that is done. A chain of more links than both together is cut off there. */
const ROUND_COUNT_MAX = 10;

class SizeNode {
  bytes = 0;
  /** Kept of a sample of the objects not looked at: how many it stands for. */
  standsFor = 1;
  weight = 1;
  /** The nearest one on its way that is sampled, or the root: from there on all have its weight. */
  scope: SizeNode;
  /** Set when it was met by several ways: the scope they have in common. */
  common: SizeNode | undefined;

  constructor(
    readonly via: SizeNode | undefined,
    readonly count: number,
  ) {
    this.scope = via === undefined || count !== 1 ? this : via.scope;
  }

  /** The scope around this one. Requires: it is a scope. */
  get outer(): SizeNode | undefined {
    return this.via?.scope;
  }

  /** Requires: called in the order in which nodes were made, so that those it depends on have their weight. */
  settle(): void {
    const { via, common } = this;
    if (common !== undefined && common !== this) this.weight = common.weight * this.standsFor;
    else if (via !== undefined) this.weight = via.weight * this.count * this.standsFor;
  }
}

interface Found {
  readonly value: object;
  readonly node: SizeNode;
}

export class SizeWalk {
  readonly #nodes = new Map<object | string, SizeNode>();
  readonly #without: object | undefined;
  #found: Found[] = [];
  #lookedAtCount = 0;

  /** `without`: memory that is accounted for elsewhere. */
  constructor(without?: object) {
    this.#without = without;
  }

  get lookedAtCount(): number {
    return this.#lookedAtCount;
  }

  bytesOf(root: object): number {
    this.#meet(root, undefined, 1);
    for (let round = 0; round < ROUND_COUNT_MAX && this.#found.length > 0; round += 1) {
      const rest = this.#lookAt();
      this.#found = rest.length > SAMPLE_COUNT_MAX ? thinOut(rest) : rest;
    }
    let bytes = 0;
    for (const node of this.#nodes.values()) {
      node.settle();
      bytes += node.bytes * node.weight;
    }
    return Math.round(bytes);
  }

  /** Looks at what was found, and what is found by that, in order; gives what it did not come to. */
  #lookAt(): Found[] {
    const found = this.#found;
    let next = 0;
    for (; next < found.length && found.length < FOUND_COUNT_MAX; next += 1) {
      const { value, node } = found[next]!;
      this.#lookedAtCount += 1;
      this.#price(value, node);
    }
    return found.slice(next);
  }

  #price(value: object, node: SizeNode): void {
    try {
      const bytes = registeredBytes(value);
      if (bytes === undefined) billObject(value, this.#billOf(node));
      else node.bytes += bytes;
    } catch {
      // Only what belongs to the user can throw: a prototype trap, a tag that is computed.
      node.bytes += OPAQUE_BYTES;
    }
  }

  #billOf(node: SizeNode): Bill {
    return {
      isRoot: node.via === undefined,
      own: (bytes) => {
        node.bytes += bytes;
      },
      part: (value, count) => {
        if (isObject(value)) this.#meet(value, node, count);
        else node.bytes += primitiveBytes(value) * count;
      },
      common: (id, bytes) => {
        const shared = this.#nodeOf(id, node, 1);
        if (shared !== undefined) shared.bytes = bytes;
      },
    };
  }

  #meet(value: object, via: SizeNode | undefined, count: number): void {
    if (value === this.#without) return;
    const node = this.#nodeOf(value, via, count);
    if (node !== undefined) this.#found.push({ value, node });
  }

  /** The node of something met for the first time; `undefined`, with a note of the way, when it is known. */
  #nodeOf(id: object | string, via: SizeNode | undefined, count: number): SizeNode | undefined {
    const known = this.#nodes.get(id);
    if (known === undefined) {
      const node = new SizeNode(via, count);
      this.#nodes.set(id, node);
      return node;
    }
    if (via !== undefined) known.common = commonScope(known.common ?? known.scope, via.scope);
    return undefined;
  }
}

/** Scopes are nested no deeper than sampled containers are. */
function commonScope(a: SizeNode, b: SizeNode): SizeNode {
  const around = new Set<SizeNode>();
  for (let at: SizeNode | undefined = a; at !== undefined; at = at.outer) around.add(at);
  for (let at: SizeNode | undefined = b; at !== undefined; at = at.outer) if (around.has(at)) return at;
  return a;
}

/** A sample of objects that were found, each standing for several of them. */
function thinOut(found: readonly Found[]): Found[] {
  return sampleIndexes(found.length).map((index) => {
    const kept = found[index]!;
    kept.node.standsFor *= found.length / SAMPLE_COUNT_MAX;
    // Nothing was found through it yet, so that this changes no scope but its own.
    kept.node.scope = kept.node;
    return kept;
  });
}
