import { appendFileSync } from 'node:fs';

/** One more than the sum of its inputs; leaves a line each time it runs. */
export function noted(path: string, name: number, inputs: readonly number[]): number {
  appendFileSync(path, `${name}\n`);
  return inputs.reduce((sum, input) => sum + input, 1) % 1_000_003;
}
