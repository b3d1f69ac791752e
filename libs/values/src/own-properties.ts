/** Own properties of arrays and objects: without walking four billion holes, and without touching a prototype. */

const PROBE_LENGTH_MIN = 100_000;
const PROBE_COUNT = 64;

/** Whether a long array is mostly holes, by a sample: then its keys are fewer than its indexes. */
export function isMostlyHoles(array: readonly unknown[]): boolean {
  if (array.length < PROBE_LENGTH_MIN) return false;
  const step = Math.floor(array.length / PROBE_COUNT);
  let holeCount = 0;
  for (let index = 0; index < array.length; index += step) if (!(index in array)) holeCount++;
  return holeCount * 2 > PROBE_COUNT;
}

/** Sets an own property, whatever its name: assigning to `__proto__` would change the prototype instead. */
export function setOwn(target: object, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  } else (target as Record<string, unknown>)[key] = value;
}
