/**
 * Tells the parent the same thing whenever it is called, but not while the one before is still on its way: for a parent that
 * does not read, nothing piles up.
 */
export function repeatToParent(message: object): () => void {
  let isUnderWay = false;
  return () => {
    if (isUnderWay || !process.connected) return;
    isUnderWay = true;
    process.send?.(message, undefined, undefined, () => (isUnderWay = false));
  };
}
