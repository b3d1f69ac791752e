/**
 * Rewrites a value that structured clone alone would not do justice: futures, instances with a codec, errors, shared
 * buffers, and nesting deeper than it can recurse. Containers that hold objects are copied with these replaced by
 * markers; the original is never touched. Identity and cycles are kept. What the markers become is `GraphRestoring`'s.
 *
 * Deep values are cut: a container may refer directly to a container of the next level only, and at every
 * `DEPTH_MAX`-th level to none; other references go through slots. So no path within one piece is longer than that.
 */
import { types } from 'node:util';
import { errorTypeOf, fieldsOf } from './error-shape.js';
import { STEP, type FlatGraph, type Marker, type Step } from './flat-graph.js';
import { codecOf, kindOf } from './object-kind.js';
import { setOwn } from './own-properties.js';
import { DEPTH_MAX, type DependencyIndexOf } from './scan.js';
import { NotClonableError, SelfReferenceError, TooDeepError } from './unencodable.js';
import type { Codec } from './codec-registry.js';

type Plan = 'keep' | 'copy' | 'codec' | 'error';

interface Entry {
  readonly source: object;
  readonly plan: Plan;
  /** What parents refer to: the copy, a marker, or the object itself. */
  readonly stand: object;
  /** Whether `stand` is a marker whose place must be patched after reading. */
  readonly needsPatch: boolean;
  readonly level: number;
  state: 'new' | 'open' | 'done';
  readonly codec?: Codec<unknown>;
  /** The slot of an instance with a codec, or of a container that was cut off. */
  slot?: number;
  /** The marker by which other levels refer to a cut-off container. */
  hoistMarker?: object;
}

type Work = { readonly type: 'open' | 'close'; readonly entry: Entry; readonly step?: Step | undefined };

export class GraphFlattening {
  readonly markers = new Map<object, Marker>();
  readonly buffers = new Set<ArrayBuffer>();
  readonly #entries = new Map<object, Entry>();
  readonly #work: Work[] = [];
  readonly #hoisted: unknown[] = [];
  readonly #steps: Step[] = [];
  #slotCount = 0;

  constructor(
    private readonly dependencyIndexOf: DependencyIndexOf | undefined,
    private readonly isDeep: boolean,
  ) {}

  /** Throws `TooDeepError` if it was to do without cutting and met what must be cut. */
  run(root: unknown): FlatGraph {
    const flatRoot = this.#substitute(root, 0).stand;
    for (let work = this.#work.pop(); work !== undefined; work = this.#work.pop()) {
      if (work.type === 'open') this.#open(work.entry);
      else this.#close(work.entry, work.step);
    }
    return [flatRoot, this.#hoisted, this.#steps];
  }

  /** What stands in a container for a child, and whether the container must be patched for it. */
  #substitute(value: unknown, parentLevel: number): { stand: unknown; needsPatch: boolean } {
    if (typeof value !== 'object' || value === null) return { stand: value, needsPatch: false };
    let entry = this.#entries.get(value);
    if (entry === undefined) {
      entry = this.#enter(value, parentLevel + 1);
      this.#entries.set(value, entry);
    }
    if (entry.state === 'open' && entry.plan === 'codec') throw new SelfReferenceError(value);
    if (entry.state === 'new') this.#work.push({ type: 'open', entry });
    if (this.#mustCut(entry, parentLevel)) return { stand: this.#hoist(entry), needsPatch: true };
    return entry;
  }

  #mustCut(entry: Entry, parentLevel: number): boolean {
    if (entry.plan !== 'copy') return false;
    if (this.isDeep) return entry.level !== parentLevel + 1 || entry.level % DEPTH_MAX === 0;
    if (entry.level > DEPTH_MAX) throw new TooDeepError();
    return false;
  }

  #hoist(entry: Entry): object {
    if (entry.hoistMarker === undefined) {
      entry.slot = this.#slotCount++;
      this.#hoisted.push(entry.slot, entry.stand);
      entry.hoistMarker = this.#mark({ standsFor: 'slot', number: entry.slot });
    }
    return entry.hoistMarker;
  }

  #enter(source: object, level: number): Entry {
    const dependency = this.dependencyIndexOf?.(source);
    if (dependency !== undefined) {
      return this.#marked(source, level, { standsFor: 'dependency', number: dependency }, 'keep');
    }
    const prototype = Object.getPrototypeOf(source) as object | null;
    const codec = codecOf(source, prototype);
    if (codec !== undefined) {
      const slot = this.#slotCount++;
      return { ...this.#marked(source, level, { standsFor: 'slot', number: slot }, 'codec'), codec, slot };
    }
    return this.#enterByKind(source, prototype, level);
  }

  #enterByKind(source: object, prototype: object | null, level: number): Entry {
    const kind = kindOf(source, prototype);
    switch (kind) {
      case 'error':
        return {
          ...this.#marked(source, level, { standsFor: 'error', number: errorTypeOf(source) }, 'error'),
          needsPatch: false,
        };
      case 'shared-array-buffer':
        return {
          ...this.#marked(
            source,
            level,
            { standsFor: 'sharedBuffer', buffer: source as SharedArrayBuffer },
            'keep',
          ),
          needsPatch: false,
        };
      case 'array-buffer':
        this.buffers.add(source as ArrayBuffer);
        return kept(source, level);
      case 'array':
      case 'object':
      case 'map':
      case 'set':
        return this.#enterContainer(source, kind, level);
      case 'refused':
        throw new NotClonableError(source);
      case 'view':
      case 'whole':
        return kept(source, level);
    }
  }

  #enterContainer(source: object, kind: 'array' | 'object' | 'map' | 'set', level: number): Entry {
    if (types.isProxy(source)) throw new NotClonableError(source);
    if (!hasObjects(source, kind)) return kept(source, level);
    const stand = { array: () => [], object: () => ({}), map: () => new Map(), set: () => new Set() }[kind]();
    return { source, plan: 'copy', stand, needsPatch: false, level, state: 'new' };
  }

  #marked(source: object, level: number, marker: Marker, plan: Plan): Entry {
    const state = plan === 'keep' ? 'done' : 'new';
    return { source, plan, stand: this.#mark(marker), needsPatch: true, level, state };
  }

  /** Views on bytes are what the serializer lets us write ourselves, so each marker is an empty one. */
  #mark(marker: Marker): object {
    const stand = new Uint8Array(0);
    this.markers.set(stand, marker);
    return stand;
  }

  #open(entry: Entry): void {
    if (entry.state !== 'new') return;
    entry.state = 'open';
    // Below the children on the stack, so it is done after all of them.
    const position = this.#work.push({ type: 'close', entry }) - 1;
    const step = this.#fill(entry);
    this.#work[position] = { type: 'close', entry, step };
  }

  #close(entry: Entry, step: Step | undefined): void {
    entry.state = 'done';
    if (step !== undefined) this.#steps.push(step);
  }

  #fill(entry: Entry): Step | undefined {
    if (entry.plan === 'codec') {
      const data = this.#substitute(entry.codec!.encode(entry.source), 0).stand;
      return [STEP.decode, entry.slot!, entry.codec!.name, data];
    }
    if (entry.plan === 'error') {
      const { hidden, shown } = fieldsOf(entry.source as unknown as Record<string, unknown>);
      const flat = (fields: readonly unknown[]): unknown[] =>
        fields.map((field) => this.#substitute(field, 0).stand);
      return [STEP.fill, entry.stand, flat(hidden), flat(shown)];
    }
    return this.#fillContainer(entry) ? [STEP.patch, entry.stand] : undefined;
  }

  /** Copies the children; says whether any must be patched after reading. */
  #fillContainer({ source, stand, level }: Entry): boolean {
    let needsPatch = false;
    const substitute = (value: unknown): unknown => {
      const child = this.#substitute(value, level);
      needsPatch ||= child.needsPatch;
      return child.stand;
    };
    if (stand instanceof Map) {
      (source as Map<unknown, unknown>).forEach((value, key) =>
        stand.set(substitute(key), substitute(value)),
      );
    } else if (stand instanceof Set) {
      (source as Set<unknown>).forEach((value) => stand.add(substitute(value)));
    } else {
      for (const key of Object.keys(source)) {
        setOwn(stand, key, substitute((source as Record<string, unknown>)[key]));
      }
      if (Array.isArray(stand)) stand.length = (source as unknown[]).length;
    }
    return needsPatch;
  }
}

const kept = (source: object, level: number): Entry => ({
  source,
  plan: 'keep',
  stand: source,
  needsPatch: false,
  level,
  state: 'done',
});

/** A container without objects in it is as good as its copy. */
function hasObjects(source: object, kind: 'array' | 'object' | 'map' | 'set'): boolean {
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
  if (kind === 'map')
    return [...(source as Map<unknown, unknown>)].some(([k, v]) => isObject(k) || isObject(v));
  if (kind === 'set') return [...(source as Set<unknown>)].some(isObject);
  return Object.keys(source).some((key) => isObject((source as Record<string, unknown>)[key]));
}
