/**
 * Turns the arguments of calls into what a task carries: one encoded array, in which each future stands as a
 * placeholder of a dependency. What is too large for a graph is taken out, put into the cluster on its own and becomes
 * a dependency too; the same large object is put there once for all calls of one submission.
 */
import { InvalidArgumentError, LimitExceededError, type TaskKey } from '@spillway/kernel';
import {
  ARGUMENTS_BYTES_MAX,
  DEPENDENCIES_MAX,
  DEPENDENCY_KEYS_BYTES_MAX,
  type Payload,
} from '@spillway/messages';
import { encodeValue } from '@spillway/values';
import { encodeWithFutures } from './encode-with-futures.js';
import { Future, ownerOf, recordOf, wasReleasedBefore, type FutureOwner } from './future.js';
import type { KeyRecord } from './key-record.js';

/** An argument, or a part of one, that travels outside of the graph. */
export interface LargeArgument {
  readonly record: KeyRecord;
  readonly payload: Payload;
  /** Resolves when it is in the cluster. Rejects with the reason why it is not. */
  readonly placed: Promise<void>;
}

export interface EncodedArguments {
  readonly payload: Payload;
  /** Each once, in the order of the placeholders. */
  readonly dependencies: readonly KeyRecord[];
  /** Those of the dependencies that were taken out of these arguments. */
  readonly large: readonly LargeArgument[];
}

/** Stands for a large string while arguments are encoded: only objects can be told apart. */
class LargeText {
  constructor(readonly text: string) {}
}

/** Arguments that are too large together are taken apart down to such fractions of the bound, the larger ones first. */
const PART_FRACTIONS = [1 / 2, 1 / 16];

/** What a value encodes to, with so many other values taken out. */
interface Measured {
  readonly bytes: number;
  readonly hasDependencies: boolean;
  readonly largeCount: number;
}

type Container = readonly unknown[] | ReadonlyMap<unknown, unknown> | Record<string, unknown>;

export class ArgumentEncoder {
  readonly #large = new Map<unknown, LargeArgument>();
  readonly #texts = new Map<string, LargeText>();
  readonly #open = new Set<object>();
  /** Within one call: between two calls a value may change. */
  readonly #measured = new Map<object, Measured>();
  #submitCall = 0;

  /**
   * `place`: begins to put a value into the cluster, under a key of its own. `inlineBytesMax`: what encodes to more is
   * placed.
   */
  constructor(
    private readonly owner: FutureOwner,
    private readonly place: (payload: Payload) => LargeArgument,
    private readonly inlineBytesMax: number,
  ) {}

  /**
   * `submitCall`: number of the call that the arguments belong to. Throws `ValueNotEncodableError`, and
   * `InvalidArgumentError` for a future of another client or one released before the call.
   */
  encode(args: readonly unknown[], submitCall: number): EncodedArguments {
    this.#submitCall = submitCall;
    this.#measured.clear();
    const prepared = args.map((argument) => this.#takeOutAtOnce(argument));
    let encoded = this.#attempt(prepared);
    for (const fraction of PART_FRACTIONS) {
      if (encoded.payload.data.byteLength <= this.inlineBytesMax) return encoded;
      const partBytesMax = this.inlineBytesMax * fraction;
      const placedBefore = this.#large.size;
      const apart = prepared.map((argument) => this.#takeOut(argument, partBytesMax));
      const isNew =
        this.#large.size > placedBefore || apart.some((argument, at) => argument !== prepared[at]);
      // A hundred thousand futures are not encoded again for nothing.
      if (isNew) encoded = this.#attempt(apart);
    }
    // What is left are placeholders and small things in great number; the graph can carry some more of them.
    if (encoded.payload.data.byteLength <= ARGUMENTS_BYTES_MAX) return encoded;
    throw new LimitExceededError(
      `The arguments hold ${encoded.payload.data.byteLength} bytes of futures and values that cannot be taken apart, ` +
        `more than the ${ARGUMENTS_BYTES_MAX} a task may carry. Scatter the values, or merge the futures in steps.`,
    );
  }

  #attempt(args: readonly unknown[]): EncodedArguments {
    const found = new FoundDependencies(this.owner, this.#submitCall, this.#large);
    const payload = encodeWithFutures(args, (value) => found.indexOf(value));
    return { payload, dependencies: found.records, large: found.large };
  }

  /** Large text and binary data is recognized without encoding it. */
  #takeOutAtOnce(value: unknown): unknown {
    if (typeof value === 'string') return this.#takeOutText(value, this.inlineBytesMax);
    if (isBinary(value) && value.byteLength > this.inlineBytesMax) this.#placeOnce(value, value);
    return value;
  }

  /** Takes the value out if it is large, or, if there are futures in it, whatever is large inside it. */
  #takeOut(value: unknown, partBytesMax: number): unknown {
    if (typeof value === 'string') return this.#takeOutText(value, partBytesMax);
    if (typeof value !== 'object' || value === null || this.#large.has(value)) return value;
    if (value instanceof Future || value instanceof LargeText || this.#open.has(value)) return value;
    const { bytes, hasDependencies } = this.#measure(value);
    if (bytes <= partBytesMax) return value;
    if (!hasDependencies) {
      this.#placeOnce(value, value);
      return value;
    }
    if (!isContainer(value)) return value;
    // A container that contains itself is copied once; inside the copy the original stands.
    this.#open.add(value);
    const copy = mapMembers(value, (member) => this.#takeOut(member, partBytesMax));
    this.#open.delete(value);
    return copy;
  }

  #measure(value: object): Measured {
    const known = this.#measured.get(value);
    if (known?.largeCount === this.#large.size) return known;
    const { payload, dependencies } = this.#attempt([value]);
    const measured = {
      bytes: payload.data.byteLength,
      hasDependencies: dependencies.length > 0,
      largeCount: this.#large.size,
    };
    this.#measured.set(value, measured);
    return measured;
  }

  #takeOutText(text: string, partBytesMax: number): unknown {
    if (text.length <= partBytesMax) return text;
    let marker = this.#texts.get(text);
    if (marker === undefined) this.#texts.set(text, (marker = new LargeText(text)));
    this.#placeOnce(marker, text);
    return marker;
  }

  #placeOnce(identity: object, value: unknown): void {
    if (!this.#large.has(identity))
      this.#large.set(identity, this.place(encodeValue(value, { shared: true })));
  }
}

/** The dependencies met while one array of arguments is encoded. */
class FoundDependencies {
  readonly records: KeyRecord[] = [];
  readonly large: LargeArgument[] = [];
  readonly #indexes = new Map<TaskKey, number>();
  #keyBytes = 0;

  constructor(
    private readonly owner: FutureOwner,
    private readonly submitCall: number,
    private readonly known: ReadonlyMap<unknown, LargeArgument>,
  ) {}

  indexOf(value: object): number | undefined {
    if (value instanceof Future) return this.#add(this.#ownRecord(value));
    const large = this.known.get(value);
    if (large === undefined) return undefined;
    const index = this.#add(large.record);
    if (!this.large.includes(large)) this.large.push(large);
    return index;
  }

  #add(record: KeyRecord): number {
    let index = this.#indexes.get(record.key);
    if (index !== undefined) return index;
    index = this.records.length;
    if (index >= DEPENDENCIES_MAX) {
      throw new LimitExceededError(
        `The arguments hold more than ${DEPENDENCIES_MAX} different futures. Merge them in steps.`,
      );
    }
    this.#keyBytes += Buffer.byteLength(record.key);
    if (this.#keyBytes > DEPENDENCY_KEYS_BYTES_MAX) {
      throw new LimitExceededError(
        `The arguments hold futures whose keys are longer than ${DEPENDENCY_KEYS_BYTES_MAX} bytes together. ` +
          `Merge them in steps, or use shorter keys.`,
      );
    }
    this.#indexes.set(record.key, index);
    this.records.push(record);
    return index;
  }

  #ownRecord(future: Future<unknown>): KeyRecord {
    if (ownerOf(future) === this.owner) {
      if (!wasReleasedBefore(future, this.submitCall)) return recordOf(future);
      throw new InvalidArgumentError(
        `The future ${future.key} was released and cannot be an argument any more.`,
      );
    }
    throw new InvalidArgumentError(
      `The future ${future.key} belongs to another client. Gather its value there and pass that, or scatter it here.`,
      { details: { key: future.key } },
    );
  }
}

function isBinary(value: unknown): value is ArrayBufferView | ArrayBuffer | SharedArrayBuffer {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer;
}

/** Plain containers can be copied with other members; anything else is left whole. */
function isContainer(value: object): value is Container {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype === Array.prototype ||
    prototype === Map.prototype ||
    prototype === Object.prototype ||
    prototype === null
  );
}

/** A copy with other members; the container itself when all of them stay. */
function mapMembers(container: Container, change: (member: unknown) => unknown): unknown {
  const changes = { count: 0 };
  const copy = copyOf(container, (member) => {
    const after = change(member);
    if (after !== member) changes.count += 1;
    return after;
  });
  return changes.count > 0 ? copy : container;
}

function copyOf(container: Container, change: (member: unknown) => unknown): unknown {
  if (Array.isArray(container)) return container.map((member: unknown) => change(member));
  if (container instanceof Map) {
    return new Map([...container].map(([name, member]) => [name, change(member)] as const));
  }
  return Object.fromEntries(Object.entries(container).map(([name, member]) => [name, change(member)]));
}
