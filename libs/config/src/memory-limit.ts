/** The worker's memory limit: four forms of one setting (dask-behaviour 1.1, without what it reads by accident). */
import { formatBytes, parseBytes } from './bytes.js';
import { define, meansOff, parseNumber, textOf, type Setting, type SettingOptions } from './setting.js';

/** How much memory a worker may use, as it was written; what it comes to is `platform`'s part. */
export type MemoryLimitSetting =
  /** The machine's (or container's) memory, shared by the worker's part of the cores. */
  | { readonly kind: 'auto' }
  /** A share of the machine's (or container's) memory. */
  | { readonly kind: 'fraction'; readonly fraction: number }
  | { readonly kind: 'bytes'; readonly bytes: number }
  /** No limit: nothing is spilled, paused or terminated because of memory. */
  | { readonly kind: 'off' };

/** `auto`, bytes, a fraction up to 1, or off (0, none, false). */
export const memoryLimit = (options: SettingOptions<MemoryLimitSetting>): Setting<MemoryLimitSetting> =>
  define<MemoryLimitSetting>(
    {
      kind: 'memory limit',
      expected: '`auto`, bytes such as `4 GiB`, a fraction up to 1 such as `0.5`, or `none`',
      parse: parseMemoryLimit,
      format: formatMemoryLimit,
    },
    options,
  ) as Setting<MemoryLimitSetting>;

function parseMemoryLimit(written: unknown): MemoryLimitSetting | undefined {
  if (meansOff(written)) return { kind: 'off' };
  if (written === true) return { kind: 'fraction', fraction: 1 };
  const value = textOf(written)?.toLowerCase() ?? '';
  if (value === 'auto') return { kind: 'auto' };
  const number = parseNumber(value);
  if (number !== undefined && number > 0 && number <= 1) return { kind: 'fraction', fraction: number };
  const parsedBytes = parseBytes(value);
  if (parsedBytes === undefined) return undefined;
  if (parsedBytes > 0) return { kind: 'bytes', bytes: parsedBytes };
  // "0" and "0.0GB" say off; "0.4 B" says something that cannot be.
  return /^[0.]*(?:e|[^\d.]|$)/.test(value) ? { kind: 'off' } : undefined;
}

function formatMemoryLimit(limit: MemoryLimitSetting): string {
  if (limit.kind === 'fraction') return String(limit.fraction);
  if (limit.kind === 'bytes') return formatBytes(limit.bytes);
  return limit.kind === 'auto' ? 'auto' : 'none';
}
