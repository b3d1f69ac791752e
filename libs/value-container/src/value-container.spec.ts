import { MapContainer, TwoMapContainer } from './testing/index.js';
import { hasManualEviction, isValueContainer, missingMethods } from './value-container.js';

test('what a container lacks is told by name', () => {
  expect(missingMethods(new MapContainer())).toEqual([]);
  expect(missingMethods({ get: () => undefined, keys: 1 })).toEqual(['set', 'delete', 'keys', 'count']);
  expect(missingMethods(undefined)).toEqual(['get', 'set', 'delete', 'keys', 'count']);
  expect(isValueContainer(new Map())).toBe(false);
});

test('manual eviction is there when both of its parts are', () => {
  expect(hasManualEviction(new TwoMapContainer())).toBe(true);
  expect(hasManualEviction(new MapContainer())).toBe(false);
  expect(hasManualEviction(Object.assign(new MapContainer(), { fast: true }))).toBe(false);
});
