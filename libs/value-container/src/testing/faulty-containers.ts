/** Containers with one fault each, and the rule that finds it. */
import type { Evicted, ValueContainer } from '../value-container.js';
import { MapContainer } from './map-container.js';
import { TwoMapContainer } from './two-map-container.js';

export interface Fault {
  readonly what: string;
  /** How the sentence of the rule that must find it begins. */
  readonly brokenRule: string;
  make(): ValueContainer;
}

const fault = (what: string, brokenRule: string, made: new () => ValueContainer): Fault => ({
  what,
  brokenRule,
  make: () => new made(),
});

const SHARED_ARENA_BYTES = 8 * 1024 * 1024 + 1;

export const FAULTS: readonly Fault[] = [
  {
    what: 'cannot count',
    brokenRule: 'It has the methods of a container',
    make: () => Object.assign(new MapContainer(), { count: undefined }),
  },
  fault(
    'begins with what an earlier one left',
    'A new container is empty',
    class extends MapContainer {
      protected override readonly values = new Map([['left-over', Uint8Array.of(1)]]);
    },
  ),
  fault(
    'gives null for what it does not have',
    'There is nothing under a key that was never set',
    class extends MapContainer {
      override get(key: string): Promise<Uint8Array | undefined> {
        return Promise.resolve(this.values.get(key) ?? (null as unknown as undefined));
      }
    },
  ),
  fault(
    'takes an empty value for none',
    'An empty value is a value',
    class extends MapContainer {
      override async get(key: string): Promise<Uint8Array | undefined> {
        const bytes = await super.get(key);
        return bytes?.byteLength === 0 ? undefined : bytes;
      }
    },
  ),
  fault(
    'stores text',
    'A small value comes back byte for byte',
    class extends MapContainer {
      override async set(key: string, bytes: Uint8Array): Promise<void> {
        await super.set(key, new TextEncoder().encode(new TextDecoder().decode(Uint8Array.from(bytes))));
      }
    },
  ),
  fault(
    'truncates what is large',
    'A large value comes back byte for byte',
    class extends MapContainer {
      override set(key: string, bytes: Uint8Array): Promise<void> {
        return super.set(key, bytes.byteLength > 1_000_000 ? bytes.subarray(0, 1_000_000) : bytes);
      }
    },
  ),
  fault(
    'stores all of the buffer that a part was given of',
    'Of a larger buffer, the part that was given',
    class extends MapContainer {
      override async set(key: string, bytes: Uint8Array): Promise<void> {
        await super.set(key, new Uint8Array(bytes.buffer));
      }
    },
  ),
  fault(
    'refuses shared memory',
    'Bytes in shared memory',
    class extends MapContainer {
      override async set(key: string, bytes: Uint8Array): Promise<void> {
        if (!(bytes.buffer instanceof ArrayBuffer)) throw new TypeError('not shared memory, please');
        await super.set(key, bytes);
      }
    },
  ),
  fault(
    'takes the buffer that it was given for itself',
    'Bytes that were given are left',
    class extends MapContainer {
      override async set(key: string, bytes: Uint8Array): Promise<void> {
        const isWhole = bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;
        await super.set(key, isWhole ? structuredClone(bytes, { transfer: [bytes.buffer] }) : bytes);
      }
    },
  ),
  fault(
    'encrypts in the buffer that it was given',
    'Bytes that were given are left',
    class extends MapContainer {
      override async set(key: string, bytes: Uint8Array): Promise<void> {
        await super.set(key, bytes.slice());
        bytes.forEach((byte, at) => (bytes[at] = byte ^ 1));
      }
    },
  ),
  fault(
    'reads everything into one buffer',
    'Bytes that get gave stay as they are',
    class extends MapContainer {
      readonly #arena = new Uint8Array(SHARED_ARENA_BYTES);

      override async get(key: string): Promise<Uint8Array | undefined> {
        const bytes = await super.get(key);
        if (bytes === undefined) return undefined;
        this.#arena.set(bytes);
        return this.#arena.subarray(0, bytes.byteLength);
      }
    },
  ),
  fault(
    'keeps the first value of a key',
    'Setting a key again replaces its value',
    class extends MapContainer {
      override async set(key: string, bytes: Uint8Array): Promise<void> {
        if (!this.values.has(key)) await super.set(key, bytes);
      }
    },
  ),
  fault(
    'mixes keys of other cases',
    'Any text is a key of its own',
    class extends MapContainer {
      override get(key: string): Promise<Uint8Array | undefined> {
        return super.get(key.toLowerCase());
      }
      override set(key: string, bytes: Uint8Array): Promise<void> {
        return super.set(key.toLowerCase(), bytes);
      }
    },
  ),
  fault(
    'gives keys that it has changed',
    'Any text is a key of its own',
    class extends MapContainer {
      override async *keys(): AsyncIterable<string> {
        for await (const key of super.keys()) yield key.normalize('NFC');
      }
    },
  ),
  fault(
    'cuts long keys',
    'Keys may be 1024 UTF-16 units long',
    class extends MapContainer {
      override get(key: string): Promise<Uint8Array | undefined> {
        return super.get(key.slice(0, 255));
      }
      override set(key: string, bytes: Uint8Array): Promise<void> {
        return super.set(key.slice(0, 255), bytes);
      }
    },
  ),
  fault(
    'deletes the value and keeps the key',
    'A deleted key is gone',
    class extends MapContainer {
      readonly #known = new Set<string>();

      override set(key: string, bytes: Uint8Array): Promise<void> {
        this.#known.add(key);
        return super.set(key, bytes);
      }
      override async *keys(): AsyncIterable<string> {
        for (const key of this.#known) yield await Promise.resolve(key);
      }
    },
  ),
  fault(
    'rejects the deletion of what is not there',
    'Deleting a key that is not there does nothing',
    class extends MapContainer {
      override async delete(key: string): Promise<void> {
        if (!this.values.has(key)) throw new Error('no such key');
        await super.delete(key);
      }
    },
  ),
  fault(
    'marks what was deleted for ever',
    'A key that was deleted can be set again',
    class extends MapContainer {
      readonly #deleted = new Set<string>();

      override delete(key: string): Promise<void> {
        this.#deleted.add(key);
        return super.delete(key);
      }
      override get(key: string): Promise<Uint8Array | undefined> {
        return this.#deleted.has(key) ? Promise.resolve(undefined) : super.get(key);
      }
    },
  ),
  fault(
    'reads what it deletes',
    'Deleting does not read the value',
    class extends MapContainer {
      override async delete(key: string): Promise<void> {
        if ((await this.get(key)) !== undefined) await super.delete(key);
      }
    },
  ),
  fault(
    'writes what is set at once under the last key',
    'Many sets at once',
    class extends MapContainer {
      #lastKey = '';

      override async set(key: string, bytes: Uint8Array): Promise<void> {
        this.#lastKey = key;
        await Promise.resolve();
        await super.set(this.#lastKey, bytes);
      }
    },
  ),
  fault(
    'resolves a set before the value can be got',
    'A small value comes back byte for byte',
    class extends MapContainer {
      override set(key: string, bytes: Uint8Array): Promise<void> {
        setImmediate(() => this.values.set(key, bytes));
        return Promise.resolve();
      }
    },
  ),
  fault(
    'reads what is got at once under the last key',
    'Many gets at once',
    class extends MapContainer {
      #lastKey = '';

      override async get(key: string): Promise<Uint8Array | undefined> {
        this.#lastKey = key;
        await Promise.resolve();
        return super.get(this.#lastKey);
      }
    },
  ),
  fault(
    'rewrites everything to delete one',
    'Sets, gets and deletions of different keys at once',
    class extends MapContainer {
      override async delete(key: string): Promise<void> {
        const all = [...this.values];
        await Promise.resolve();
        this.values.clear();
        for (const [other, bytes] of all) if (other !== key) await super.set(other, bytes);
      }
    },
  ),
  fault(
    'throws where it should reject',
    'Errors are rejections',
    class extends MapContainer {
      override set(key: string, bytes: Uint8Array): Promise<void> {
        if (!ArrayBuffer.isView(bytes)) throw new TypeError('not bytes');
        return super.set(key, bytes);
      }
    },
  ),
  fault(
    'counts at once, with no promise',
    'Errors are rejections',
    class extends MapContainer {
      override count(): Promise<number> {
        return this.values.size as unknown as Promise<number>;
      }
    },
  ),
  fault(
    'throws once it is closed',
    'It can be closed',
    class extends MapContainer {
      #isClosed = false;

      close(): Promise<void> {
        this.#isClosed = true;
        return Promise.resolve();
      }
      override get(key: string): Promise<Uint8Array | undefined> {
        if (this.#isClosed) throw new Error('closed');
        return super.get(key);
      }
    },
  ),
  fault(
    'has a flag for eviction, and no eviction',
    'Manual eviction is offered whole',
    class extends MapContainer {
      readonly fast = false;
    },
  ),
  fault(
    'always has something to evict',
    'An empty container has nothing to evict',
    class extends TwoMapContainer {
      override get fast(): boolean {
        return true;
      }
    },
  ),
  fault(
    'rejects when it cannot evict',
    'An empty container has nothing to evict',
    class extends TwoMapContainer {
      override evict(): Promise<Evicted> {
        return this.fast ? super.evict() : Promise.reject(new Error('nothing there'));
      }
    },
  ),
  fault(
    'says that it evicts, and does not',
    'While `fast` is true evict moves something out',
    class extends TwoMapContainer {
      override evict(): Promise<Evicted> {
        return Promise.resolve({ freedBytes: 0 });
      }
    },
  ),
  fault(
    'says minus one for a failure',
    'While `fast` is true evict moves something out',
    class extends TwoMapContainer {
      override evict(): Promise<Evicted> {
        return Promise.resolve({ freedBytes: -1 });
      }
    },
  ),
  fault(
    'boasts of what it freed',
    'What evict says it freed',
    class extends TwoMapContainer {
      override async evict(): Promise<Evicted> {
        const evicted = await super.evict();
        return 'freedBytes' in evicted ? { freedBytes: evicted.freedBytes * 2 } : evicted;
      }
    },
  ),
  fault(
    'loses what it evicts',
    'No value is lost by evicting.',
    class extends TwoMapContainer {
      override async evict(): Promise<Evicted> {
        const evicted = await super.evict();
        this.elsewhere.clear();
        return evicted;
      }
    },
  ),
  fault(
    'has a value in neither place while it is evicted',
    'No value is lost by evicting while others',
    class extends TwoMapContainer {
      override async evict(): Promise<Evicted> {
        const [oldest] = this.inRam;
        if (oldest === undefined) return { reason: 'nothing is in RAM' };
        this.inRam.delete(oldest[0]);
        await new Promise(setImmediate);
        this.elsewhere.set(...oldest);
        return { freedBytes: oldest[1].byteLength };
      }
    },
  ),
  fault(
    'forgets the copy elsewhere of what it deletes',
    'An evicted value can be replaced',
    class extends TwoMapContainer {
      override delete(key: string): Promise<void> {
        this.inRam.delete(key);
        return Promise.resolve();
      }
    },
  ),
];
