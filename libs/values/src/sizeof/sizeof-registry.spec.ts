import { InvalidArgumentError } from '@spillway/kernel';
import { registerSizeof } from './sizeof-registry.js';
import { sizeof } from './sizeof.js';

class Native {
  readonly #handle = new ArrayBuffer(5);
  get handleBytes(): number {
    return this.#handle.byteLength;
  }
}

let warnings: { text: string; options: unknown }[] = [];
beforeEach(() => {
  warnings = [];
  jest
    .spyOn(process, 'emitWarning')
    .mockImplementation((text, options?: unknown) => void warnings.push({ text: String(text), options }));
});
afterEach(() => void jest.restoreAllMocks());

test('a class with a size function is priced by it, wherever it stands', () => {
  class Image extends Native {}
  registerSizeof(Image, () => 5000);
  expect(sizeof(new Image())).toBe(5000);
  expect(sizeof({ images: [new Image(), new Image()] })).toBeGreaterThan(10_000);
  expect(sizeof(Array.from({ length: 1000 }, () => new Image()))).toBe(48 + 1000 * 5008);
});

test('the nearest registered class counts', () => {
  class Base extends Native {}
  class Middle extends Base {}
  class Leaf extends Middle {}
  registerSizeof(Base, () => 1);
  registerSizeof(Middle, () => 2);
  expect([new Base(), new Middle(), new Leaf()].map(sizeof)).toEqual([1, 2, 2]);
});

test('a function registered again replaces the first', () => {
  class Twice extends Native {}
  registerSizeof(Twice, () => 1);
  registerSizeof(Twice, () => 2);
  expect(sizeof(new Twice())).toBe(2);
});

test('a size function can ask for the size of parts', () => {
  class Holder {
    readonly #parts = new Uint8Array(300);
    static bytesOf = (holder: Holder): number => 50 + sizeof(holder.#parts);
  }
  registerSizeof(Holder, Holder.bytesOf);
  expect(sizeof(new Holder())).toBe(350);
});

test.each<[string, () => unknown, RegExp]>([
  [
    'throws',
    () => {
      throw new Error('broken');
    },
    /Odd failed: broken/,
  ],
  [
    'throws no error',
    () => {
      throw { toString: null } as unknown as Error;
    },
    /Odd failed/,
  ],
  ['gives NaN', () => NaN, /Odd returned NaN/],
  ['gives less than nothing', () => -1, /Odd returned -1/],
  ['gives infinity', () => Infinity, /Odd returned Infinity/],
  ['gives a text', () => '12', /Odd returned 12/],
  ['gives nothing', () => undefined, /Odd returned undefined/],
])('one that %s is warned of once, and the value is priced as any object', (_name, bytesOf, text) => {
  class Odd {
    readonly text = 'x'.repeat(1000);
  }
  registerSizeof(Odd, bytesOf as () => number);
  const bytes = [new Odd(), new Odd(), new Odd()].map(sizeof);
  expect(bytes).toEqual([1056, 1056, 1056]);
  expect(warnings).toEqual([
    {
      text: expect.stringMatching(text) as string,
      options: { type: 'SpillwayWarning', code: 'SPILLWAY_SIZEOF' },
    },
  ]);
});

test('only classes can be registered', () => {
  expect(() => registerSizeof(Object, () => 1)).toThrow(InvalidArgumentError);
  expect(() => registerSizeof((() => 1) as never, () => 1)).toThrow(InvalidArgumentError);
});
