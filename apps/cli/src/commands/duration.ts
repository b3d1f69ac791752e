import { InvalidArgumentError } from 'commander';
import { parseDuration } from '@spillway/config';

/** Milliseconds of a duration that was written as an option. */
export function durationOf(written: string): number {
  const durationMs = parseDuration(written);
  if (durationMs === undefined) throw new InvalidArgumentError('Write a duration such as 30s or 500ms.');
  return durationMs;
}
