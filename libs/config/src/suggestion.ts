/** Finds the name that a mistyped one was probably meant to be. */

/** How many letters have to be put in, taken out, changed or swapped with their neighbour to get from one to the other. */
function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const current = [i];
    for (let j = 1; j <= to.length; j++) {
      const changed = from[i - 1] === to[j - 1] ? 0 : 1;
      let best = Math.min(at(previous, j) + 1, at(current, j - 1) + 1, at(previous, j - 1) + changed);
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (isSwap) best = Math.min(best, at(beforePrevious, j - 2) + 1);
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, to.length);
}

const at = (row: readonly number[], index: number): number => row[index] ?? Infinity;

/** The candidate nearest to `written`: a likely slip, or the only one that ends in the same names. */
export function suggest(written: string, candidates: readonly string[]): string | undefined {
  const ending = candidates.filter((candidate) => candidate.endsWith(`.${written}`));
  if (ending.length === 1) return ending[0];
  const distanceMax = Math.max(2, Math.floor(written.length / 4));
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - written.length) > distanceMax) continue;
    const distance = editDistance(written, candidate);
    if (distance <= distanceMax && distance < (best?.distance ?? Infinity)) best = { candidate, distance };
  }
  return best?.candidate;
}
