/**
 * Finds the field that made a value unencodable. Runs only after a failure, so it may be slow; structured clone itself
 * says what it met but not where.
 */
import { types } from 'node:util';
import { DefaultSerializer } from 'node:v8';
import { ValueNotEncodableError } from '@spillway/kernel';
import type { Encoding } from '@spillway/messages';
import { isLostInJson } from './json-values.js';
import { codecOf, kindOf, type ObjectKind } from './object-kind.js';
import type { DependencyIndexOf } from './scan.js';
import { NotClonableError, SelfReferenceError, TooDeepError, TooLargeError } from './unencodable.js';
import { isStackOverflow } from './structured-encoding.js';
import { childPath, formatPath, type Path } from './value-path.js';

interface Offender {
  readonly path: Path | undefined;
  /** Short name of what it is: `function`, `Promise`. */
  readonly type: string;
  /** Continues the path to a sentence. */
  readonly problem: string;
}

/** The error for the user, about the field at fault where it can be told. */
export function explainFailure(
  value: unknown,
  encoding: Encoding,
  dependencyIndexOf: DependencyIndexOf | undefined,
  cause: unknown,
): ValueNotEncodableError {
  const { path, type, problem } =
    offenderOfCause(cause) ??
    new OffenderSearch(encoding, dependencyIndexOf, culpritOf(cause)).run(value) ??
    ({ path: undefined, type: typeName(value), problem: `cannot be encoded: ${messageOf(cause)}` } as const);
  const text = formatPath(path);
  return new ValueNotEncodableError(`${text} ${problem}`, { details: { path: text, type, encoding }, cause });
}

function offenderOfCause(cause: unknown): Offender | undefined {
  const path = undefined;
  if (cause instanceof TooLargeError) {
    const problem = `is too large: ${cause.sizeBytes} bytes could not be allocated; split it into several values`;
    return { path, type: 'size', problem };
  }
  if (!(cause instanceof TooDeepError) && !isStackOverflow(cause)) return undefined;
  return {
    path,
    type: 'depth',
    problem: 'is nested too deep; make it flatter, for example a list with indexes',
  };
}

const culpritOf = (cause: unknown): unknown =>
  cause instanceof NotClonableError || cause instanceof SelfReferenceError ? cause.culprit : undefined;

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** Instances that only structured clone can judge are tried one by one, up to this many. */
const SUSPECTS_MAX = 1000;

class OffenderSearch {
  readonly #stack: { readonly value: unknown; readonly path: Path | undefined }[] = [];
  readonly #seen = new Set<unknown>();
  readonly #suspects: { readonly value: object; readonly path: Path | undefined }[] = [];

  constructor(
    private readonly encoding: Encoding,
    private readonly dependencyIndexOf: DependencyIndexOf | undefined,
    private readonly culprit: unknown,
  ) {}

  run(root: unknown): Offender | undefined {
    if (this.encoding === 'bytes' || this.encoding === 'arrow-stream') return notBytes(root, this.encoding);
    this.#stack.push({ value: root, path: undefined });
    for (let next = this.#stack.pop(); next !== undefined; next = this.#stack.pop()) {
      const offender = this.#judge(next.value, next.path);
      if (offender !== undefined) return offender;
    }
    return this.#judgeSuspects();
  }

  #judge(value: unknown, path: Path | undefined): Offender | undefined {
    if (this.encoding === 'json' && isLostInJson(value)) return refused(value, path);
    if (typeof value === 'function' || typeof value === 'symbol') return refused(value, path);
    if (typeof value !== 'object' || value === null || this.#seen.has(value)) return undefined;
    this.#seen.add(value);
    const firstChild = this.#stack.length;
    try {
      return this.#judgeObject(value, path);
    } catch (error) {
      return { path, type: typeName(value), problem: `cannot be read: ${messageOf(error)}` };
    } finally {
      // The first field at fault is the one to report.
      this.#stack.push(...this.#stack.splice(firstChild).reverse());
    }
  }

  #judgeObject(value: object, path: Path | undefined): Offender | undefined {
    if (this.dependencyIndexOf?.(value) !== undefined) return undefined;
    const prototype = Object.getPrototypeOf(value) as object | null;
    const codec = this.encoding === 'v8' ? codecOf(value, prototype) : undefined;
    if (value === this.culprit) return this.#judgeCulprit(value, path, codec?.name);
    if (codec !== undefined) {
      this.#push(codec.encode(value), childPath(path, { type: 'codec', name: codec.name }));
      return undefined;
    }
    const kind = kindOf(value, prototype);
    if (kind === 'refused' || types.isProxy(value) || types.isArgumentsObject(value))
      return refused(value, path);
    return this.#pushChildren(value, kind, prototype, path);
  }

  #judgeCulprit(value: object, path: Path | undefined, codecName: string | undefined): Offender {
    if (codecName === undefined) return refused(value, path);
    const problem =
      `refers to itself through its codec '${codecName}'; ` +
      'what encode() returns must not lead back to the instance';
    return { path, type: typeName(value), problem };
  }

  #pushChildren(
    value: object,
    kind: ObjectKind,
    prototype: object | null,
    path: Path | undefined,
  ): Offender | undefined {
    if (kind === 'array-buffer') touch(value as ArrayBuffer);
    else if (kind === 'view') touch((value as ArrayBufferView).buffer);
    else if (kind === 'map') this.#pushEntries(value as Map<unknown, unknown>, path);
    else if (kind === 'set') {
      let index = 0;
      for (const member of value as Set<unknown>)
        this.#push(member, childPath(path, { type: 'member', index: index++ }));
    } else if (kind === 'array' || kind === 'object' || kind === 'error') {
      if (kind === 'object' && prototype !== null && prototype !== Object.prototype)
        this.#suspect(value, path);
      return this.#pushFields(value, kind, path);
    }
    return undefined;
  }

  #pushFields(value: object, kind: ObjectKind, path: Path | undefined): Offender | undefined {
    const keys = Object.keys(value);
    if (kind === 'error') keys.push(...['cause', 'errors'].filter((key) => Object.hasOwn(value, key)));
    for (const key of keys) {
      const fieldPath = childPath(path, { type: kind === 'array' ? 'index' : 'field', key });
      try {
        this.#push((value as Record<string, unknown>)[key], fieldPath);
      } catch (error) {
        return { path: fieldPath, type: 'getter', problem: `cannot be read: ${messageOf(error)}` };
      }
    }
    return undefined;
  }

  #pushEntries(map: Map<unknown, unknown>, path: Path | undefined): void {
    let index = 0;
    for (const [key, value] of map) {
      this.#push(key, childPath(path, { type: 'mapKey', index: index++ }));
      this.#push(value, childPath(path, { type: 'mapValue', key }));
    }
  }

  #push(value: unknown, path: Path): void {
    const isPlain = typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol';
    if (!isPlain || typeof value === 'bigint') this.#stack.push({ value, path });
  }

  #suspect(value: object, path: Path | undefined): void {
    if (this.#suspects.length < SUSPECTS_MAX) this.#suspects.push({ value, path });
  }

  /** From the innermost on, since what holds an offender fails too. */
  #judgeSuspects(): Offender | undefined {
    for (const { value, path } of this.#suspects.toReversed()) {
      try {
        new DefaultSerializer().writeValue(value);
      } catch (error) {
        if (!isStackOverflow(error)) return refused(value, path);
      }
    }
    return undefined;
  }
}

/** Throws for memory that was transferred to another thread. */
function touch(buffer: ArrayBufferLike): void {
  new Uint8Array(buffer);
}

function notBytes(value: unknown, encoding: 'bytes' | 'arrow-stream'): Offender {
  const allowed =
    encoding === 'bytes' ? 'a Uint8Array, Buffer, ArrayBuffer or string' : 'a Uint8Array or ArrayBuffer';
  const type = typeName(value);
  return {
    path: undefined,
    type,
    problem: `is ${withArticle(type)}; encoding '${encoding}' takes ${allowed}`,
  };
}

function refused(value: unknown, path: Path | undefined): Offender {
  const type = typeName(value);
  const advice =
    typeof value === 'object'
      ? 'leave it out, or register a codec for its class'
      : 'leave it out of the value';
  return { path, type, problem: `is ${withArticle(type)}, which cannot be encoded; ${advice}` };
}

function typeName(value: unknown): string {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  if (types.isProxy(value)) return 'Proxy';
  try {
    const { constructor } = value as { constructor?: { name?: unknown } };
    if (typeof constructor?.name === 'string' && !['', 'Object'].includes(constructor.name))
      return constructor.name;
    return Object.prototype.toString.call(value).slice('[object '.length, -1);
  } catch {
    return 'object';
  }
}

function withArticle(noun: string): string {
  if (noun === 'undefined' || noun === 'null') return noun;
  return `${/^[aeio]/i.test(noun) ? 'an' : 'a'} ${noun}`;
}
