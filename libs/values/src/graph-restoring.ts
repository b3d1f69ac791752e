/**
 * Puts back what `GraphFlattening` took out, after reading: futures become the results they stand for, codec data
 * becomes instances, errors get their properties. Reads hostile bytes: every shape is checked.
 */
import { ValueNotDecodableError } from '@spillway/kernel';
import { types } from 'node:util';
import { codecOfName } from './codec-registry.js';
import { MalformedError } from './container.js';
import { fillError, makeErrorShell } from './error-shape.js';
import { STEP } from './flat-graph.js';
import { setOwn } from './own-properties.js';

/** Stands in the graph for a value that is not there yet, or is no object and so could not be read in place. */
class Token {
  isFilled = false;
  value: unknown = undefined;

  fill(value: unknown): this {
    this.isFilled = true;
    this.value = value;
    return this;
  }
}

export class GraphRestoring {
  readonly #slots = new Map<number, Token>();
  readonly #shells = new Set<unknown>();

  /** `lengthMax`: no list that was really written is longer; a forged sparse one could be, and walking it take minutes. */
  constructor(
    private readonly dependencies: readonly unknown[],
    private readonly lengthMax: number,
  ) {}

  /** The object that stands for a slot while reading. */
  slot(number: number): object {
    let token = this.#slots.get(number);
    if (token === undefined) this.#slots.set(number, (token = new Token()));
    return token;
  }

  /** The result of a dependency, or what stands for it while reading if it is no object. */
  dependency(index: number): object {
    const value = dependencyAt(this.dependencies, index);
    return typeof value === 'object' && value !== null ? value : new Token().fill(value);
  }

  errorShell(type: number): object {
    const shell = makeErrorShell(type);
    if (shell === undefined) throw new MalformedError(`it has an error of unknown class ${type}`);
    this.#shells.add(shell);
    return shell;
  }

  /** The value of a flat graph that was read. */
  restore(flat: unknown): unknown {
    const [root, hoisted, steps] = this.#asArray(flat);
    const cutOff = this.#asArray(hoisted);
    for (let at = 0; at + 1 < cutOff.length; at += 2) this.#fillSlot(cutOff[at], cutOff[at + 1]);
    for (const step of this.#asArray(steps)) this.#perform(this.#asArray(step));
    return resolve(root);
  }

  #perform(step: readonly unknown[]): void {
    switch (step[0]) {
      case STEP.patch:
        patch(step[1]);
        break;
      case STEP.decode:
        this.#fillSlot(step[1], decodeInstance(step[2], resolve(step[3])));
        break;
      case STEP.fill: {
        if (!this.#shells.has(step[1])) throw new MalformedError('it fills what is no error');
        const [hidden, shown] = [this.#asArray(step[2]).map(resolve), this.#asArray(step[3]).map(resolve)];
        fillError(step[1] as object, { hidden, shown });
        break;
      }
      default:
        throw new MalformedError('it has an unknown step');
    }
  }

  #asArray(value: unknown): readonly unknown[] {
    if (Array.isArray(value) && value.length <= this.lengthMax) return value as unknown[];
    throw new MalformedError('it is not laid out as a value');
  }

  #fillSlot(number: unknown, value: unknown): void {
    if (typeof number !== 'number') throw new MalformedError('a slot has no number');
    (this.slot(number) as Token).fill(value);
  }
}

/** The result at an index, which the bytes name and the caller gives. */
export function dependencyAt(dependencies: readonly unknown[], index: number): unknown {
  if (index < dependencies.length) return dependencies[index];
  throw new ValueNotDecodableError(
    `The value refers to dependency ${index}, but ${dependencies.length} were given; decode it with all of them`,
    { details: { dependency: String(index) } },
  );
}

function decodeInstance(name: unknown, data: unknown): unknown {
  const codec = typeof name === 'string' ? codecOfName(name) : undefined;
  if (codec === undefined) {
    throw new ValueNotDecodableError(
      `The value holds an instance of codec '${String(name)}', which is not registered here; ` +
        'call registerCodec for it in this program before decoding',
      { details: { codec: String(name) } },
    );
  }
  try {
    return codec.decode(data);
  } catch (cause) {
    throw new ValueNotDecodableError(`Codec '${codec.name}' could not decode its data: ${String(cause)}`, {
      details: { codec: codec.name },
      cause,
    });
  }
}

function resolve(value: unknown): unknown {
  if (!(value instanceof Token)) return value;
  if (!value.isFilled) throw new MalformedError('it uses a slot before it is filled');
  return value.value;
}

/** Replaces the tokens directly in a container. */
function patch(container: unknown): void {
  if (types.isMap(container)) {
    const entries = [...container];
    container.clear();
    for (const [key, value] of entries) container.set(resolve(key), resolve(value));
  } else if (types.isSet(container)) {
    const members = [...container];
    container.clear();
    for (const member of members) container.add(resolve(member));
  } else if (typeof container === 'object' && container !== null && !(container instanceof Token)) {
    for (const key of Object.keys(container)) {
      const value = (container as Record<string, unknown>)[key];
      if (value instanceof Token) setOwn(container, key, resolve(value));
    }
  } else throw new MalformedError('it patches what is no container');
}
