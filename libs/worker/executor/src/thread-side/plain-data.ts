/**
 * Whether a value comes back from encoding as it was, so that the value itself can stand in for its decoded copy:
 * arrays, plain objects, maps, sets and dates of the same. Not instances of classes, which lose their class or go
 * through a codec, and not binary data, of which the decoded form is a view of the encoded one.
 */

/** Arrays up to this length are searched for named properties beside their elements. */
const NAMED_PROPERTIES_LENGTH_MAX = 64;

/** `lengthMax`: an array that is longer is one of holes, and not walked. */
export function isPlainData(root: unknown, lengthMax: number): boolean {
  const seen = new Set<object>();
  const stack: unknown[] = [root];
  while (stack.length > 0) {
    const value = stack.pop();
    if (typeof value !== 'object' || value === null) continue;
    if (seen.has(value)) continue;
    seen.add(value);
    if (!pushParts(value, stack, lengthMax)) return false;
  }
  return true;
}

/** False for an object that is no plain data. */
function pushParts(value: object, stack: unknown[], lengthMax: number): boolean {
  switch (Object.getPrototypeOf(value)) {
    case Object.prototype:
      push(stack, Object.values(value));
      return true;
    case Array.prototype:
      if ((value as unknown[]).length > lengthMax) return false;
      push(stack, partsOf(value as unknown[]));
      return true;
    case Map.prototype:
      for (const [key, item] of value as Map<unknown, unknown>) stack.push(key, item);
      return true;
    case Set.prototype:
      for (const item of value as Set<unknown>) stack.push(item);
      return true;
    case Date.prototype:
      return true;
    default:
      return false;
  }
}

const partsOf = (array: readonly unknown[]): readonly unknown[] =>
  array.length > NAMED_PROPERTIES_LENGTH_MAX ? array : Object.values(array);

function push(stack: unknown[], parts: readonly unknown[]): void {
  for (const part of parts) if (typeof part === 'object' && part !== null) stack.push(part);
}
