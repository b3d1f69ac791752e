import type { Figure } from './bench.js';

/** A load that fails is a line, not the end of the bench. */
export async function told(what: string, work: () => Promise<readonly Figure[]>): Promise<readonly Figure[]> {
  process.stderr.write(`  ${what} …\n`);
  const startedAt = performance.now();
  try {
    return await work();
  } catch (error) {
    const seconds = (performance.now() - startedAt) / 1000;
    return [{ what: `${what}: NOT DONE`, value: seconds, unit: 's', how: describeError(error) }];
  }
}

/** Its code and its first sentence. */
export function describeError(error: unknown): string {
  const { code = 'no code', message = String(error) } = error as { code?: string; message?: string };
  return `${code}: ${message.split(/\. |\n/)[0]!}`;
}

export const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Consecutive groups of so many, the last of what is left. */
export function groupsOf<T>(size: number, all: readonly T[]): T[][] {
  return range(Math.ceil(all.length / size)).map((index) => all.slice(index * size, (index + 1) * size));
}
