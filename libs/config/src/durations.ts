/**
 * The one grammar of durations (conventions I06): numbers with units, one after the other. `200ms`, `5 minutes`,
 * `1h 30m`, `2s`. A number without a unit is refused, except 0: some systems mean seconds by it and some milliseconds.
 * What each unit is worth is `ms`'s part; that nothing else stands in the text is ours.
 */
import ms from 'ms';

const WHOLE = /^(?:\d+(?:\.\d+)?\s*[a-z]+\s*)+$/i;
const PART = /(\d+(?:\.\d+)?)\s*([a-z]+)/gi;
const UNITS = [
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'm', ms: 60_000 },
  { name: 's', ms: 1000 },
  { name: 'ms', ms: 1 },
] as const;

/** What the text says, in whole milliseconds; `undefined` for text that is not a duration. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^0+$/.test(trimmed)) return 0;
  if (!WHOLE.test(trimmed)) return undefined;
  let total = 0;
  let smallestUnitMs = Infinity;
  for (const [, count, unit] of trimmed.matchAll(PART)) {
    const unitMs = unitInMs(unit ?? '');
    // From large to small and each once, so that "30m 1h" or "5s 5s", likely slips, are not read as a sum.
    if (unitMs === undefined || unitMs >= smallestUnitMs) return undefined;
    smallestUnitMs = unitMs;
    total += Number(count) * unitMs;
  }
  const rounded = Math.round(total);
  // A tenth of a millisecond must not turn into "at once".
  if (!Number.isSafeInteger(rounded) || (rounded === 0 && total > 0)) return undefined;
  return rounded;
}

function unitInMs(unit: string): number | undefined {
  // `ms` gives undefined for an unknown unit, whatever its types say.
  return ms(`1${unit}` as ms.StringValue);
}

/** Exact text of a whole number of milliseconds: `parseDuration(formatDuration(x)) === x`. */
export function formatDuration(durationMs: number): string {
  let rest = durationMs;
  const parts: string[] = [];
  for (const unit of UNITS) {
    const count = Math.floor(rest / unit.ms);
    if (count > 0) parts.push(`${count}${unit.name}`);
    rest -= count * unit.ms;
  }
  return parts.length === 0 ? '0ms' : parts.join(' ');
}
