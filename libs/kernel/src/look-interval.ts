/** How fast a process may grow: first touch of new memory was measured at 1.9 GB/s (hotpath.md). */
export const GROWTH_BYTES_PER_MS = 2_000_000;

/**
 * When to look at process memory again, in milliseconds: before half of the way to a line can have been gone, at the given
 * speed. A headroom below zero asks for the least.
 */
export function lookIntervalMs(
  headroomBytes: number,
  bytesPerMs: number,
  { minMs, maxMs }: { readonly minMs: number; readonly maxMs: number },
): number {
  return Math.min(maxMs, Math.max(minMs, headroomBytes / bytesPerMs / 2));
}
