/** Starts now; each call of what it returns gives the seconds since. */
export function stopwatch(): () => number {
  const startMs = performance.now();
  return () => (performance.now() - startMs) / 1000;
}
