import { asModuleHash, LimitExceededError } from '@spillway/kernel';
import { ModuleCache } from './module-cache.js';

const hash = asModuleHash;
const bundle = (bytes: number): Uint8Array => new Uint8Array(bytes);

test('unused bundles make room, longest unused first', () => {
  const cache = new ModuleCache(100);
  cache.store(hash('a'), bundle(40));
  cache.store(hash('b'), bundle(40));
  cache.store(hash('c'), bundle(40));
  expect(cache.find(hash('a'))).toBeUndefined();
  expect(cache.find(hash('b'))).toBeDefined();
  expect(cache.find(hash('c'))).toBeDefined();
});

test('bundles in use stay, and an upload that does not fit beside them is refused', () => {
  const cache = new ModuleCache(100);
  cache.store(hash('a'), bundle(80));
  cache.markUsed(hash('a'));
  expect(() => cache.store(hash('b'), bundle(40))).toThrow(LimitExceededError);
  cache.markUnused(hash('a'));
  cache.store(hash('b'), bundle(40));
  expect(cache.find(hash('a'))).toBeUndefined();
});

test('storing a bundle again neither counts it twice nor replaces it', () => {
  const cache = new ModuleCache(100);
  const first = bundle(60);
  cache.store(hash('a'), first);
  cache.store(hash('a'), bundle(60));
  expect(cache.find(hash('a'))).toBe(first);
  cache.store(hash('b'), bundle(40));
  expect(cache.find(hash('a'))).toBe(first);
});
