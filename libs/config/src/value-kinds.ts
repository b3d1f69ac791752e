/**
 * The kinds of values that settings have. Each reads what a person may write (text from the environment or a flag; text,
 * numbers or `true` from a file) and refuses everything else with a phrase that says what was expected.
 */
import { formatBytes, parseBytes } from './bytes.js';
import { formatDuration, parseDuration } from './durations.js';
import {
  define,
  meansOff,
  parseNumber,
  settingOf,
  textOf,
  type Kind,
  type Setting,
  type SettingOptions,
} from './setting.js';

interface Range {
  readonly min?: number;
  readonly max?: number;
}

const within = (
  value: number | undefined,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: Range,
): number | undefined => (value !== undefined && value >= min && value <= max ? value : undefined);

function describeRange({ min, max }: Range, format: (value: number) => string): string {
  if (min !== undefined && max !== undefined) return `, from ${format(min)} to ${format(max)}`;
  if (min !== undefined) return `, at least ${format(min)}`;
  return max === undefined ? '' : `, at most ${format(max)}`;
}

/** Bytes, as a number. */
export const bytes = settingOf<number, Range>((range) => ({
  kind: 'bytes',
  expected: `bytes such as \`4 GiB\`, \`512MB\` or \`1000\`${describeRange(range, formatBytes)}`,
  parse: (written) => within(parseBytes(textOf(written) ?? ''), range),
  format: formatBytes,
}));

/** Node's timers fire at once when asked for more than this. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

/** Milliseconds, as a whole number that Node's timers can wait for. */
export const duration = settingOf<number, Range>((range) => ({
  kind: 'duration',
  expected: `a duration with its unit such as \`200ms\`, \`5 minutes\` or \`1h 30m\`${describeRange(range, formatDuration)}`,
  parse: (written) => within(parseDuration(textOf(written) ?? ''), { max: TIMER_MS_MAX, ...range }),
  format: formatDuration,
}));

/** A share above 0 and up to 1. */
export const fraction = settingOf<number, object>(() => ({
  kind: 'fraction',
  expected: 'a fraction above 0 and up to 1 such as `0.7`',
  parse: (written) => {
    const value = parseNumber(textOf(written) ?? '');
    return value !== undefined && value > 0 && value <= 1 ? value : undefined;
  },
  format: String,
}));

/** A whole number. */
export const count = settingOf<number, Range>((range) => ({
  kind: 'count',
  expected: `a whole number${describeRange(range, String)}`,
  parse: (written) => {
    const text = textOf(written) ?? '';
    return /^\d{1,15}$/.test(text) ? within(Number(text), range) : undefined;
  },
  format: String,
}));

/** A TCP port; 0 lets the operating system choose. */
export const port = settingOf<number, object>(() => ({
  kind: 'port',
  expected: 'a port from 0 to 65535 (0: any free one)',
  parse: (written) => {
    const text = textOf(written) ?? '';
    return /^\d{1,5}$/.test(text) ? within(Number(text), { max: 65_535 }) : undefined;
  },
  format: String,
}));

/** Text that is not empty. Where it may be off, `false` stands for "not given". */
export const text = settingOf<string, { readonly example?: string }>(({ example }) => ({
  kind: 'text',
  expected: example === undefined ? 'text' : `text such as \`${example}\``,
  parse: (written) => {
    const value = textOf(written);
    // A name spelled like "off" could not be told from it when it is written down again.
    return value === undefined || value === '' || meansOff(value) ? undefined : value;
  },
  format: (value) => value,
}));

const parseYesNo = (written: unknown): boolean | undefined => {
  if (typeof written === 'boolean') return written;
  const word = typeof written === 'string' ? written.trim().toLowerCase() : '';
  if (['true', 'yes', 'on', '1'].includes(word)) return true;
  return ['false', 'no', 'off', '0'].includes(word) ? false : undefined;
};

/** On or off. */
export const yesNo = (options: SettingOptions<boolean>): Setting<boolean> =>
  define<boolean>(
    { kind: 'yes or no', expected: 'true or false', parse: parseYesNo, format: String },
    options,
  );

/** On, off, or decided by the program. */
export const autoYesNo = (options: SettingOptions<boolean | 'auto'>): Setting<boolean | 'auto'> =>
  define<boolean | 'auto'>(
    {
      kind: 'auto, yes or no',
      expected: 'auto, true or false',
      parse: (written) => (textOf(written)?.toLowerCase() === 'auto' ? 'auto' : parseYesNo(written)),
      format: String,
    },
    options,
  );

function wordKind<const Word extends string>(words: readonly Word[]): Kind<Word> {
  return {
    kind: 'choice',
    expected: `one of ${words.map((word) => `\`${word}\``).join(', ')}`,
    parse: (written) => words.find((word) => word === textOf(written)?.toLowerCase()),
    format: (value) => value,
  };
}

/** One of a few words. */
export function choice<const Word extends string>(
  words: readonly Word[],
  options: SettingOptions<NoInfer<Word>>,
): Setting<Word> {
  return define<Word>(wordKind(words), options) as Setting<Word>;
}

/** One of a few words, or off. */
export function choiceOrOff<const Word extends string>(
  words: readonly Word[],
  options: SettingOptions<NoInfer<Word> | false>,
): Setting<Word | false> {
  return define<Word>(wordKind(words), { ...options, mayBeOff: true });
}
