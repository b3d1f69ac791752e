const FIRST_DELAY_MS = 25;
const DELAY_MS_MAX = 2000;

/**
 * How long to wait before the next attempt to connect: doubles with each attempt, and is spread over half of itself
 * so that a thousand workers do not knock at once. `random` in [0, 1).
 */
export function retryDelayMs(attempts: number, random: number): number {
  const fullMs = Math.min(DELAY_MS_MAX, FIRST_DELAY_MS * 2 ** Math.min(attempts, 16));
  return fullMs * (0.5 + random / 2);
}
