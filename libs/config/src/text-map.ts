/**
 * Settings that hold names the user chooses. They take any names below their own, and sources add to each other instead
 * of replacing one another.
 */
import { define, type Setting, type SettingOptions } from './setting.js';

/** Names, as the user wrote them, to text. */
export type TextMap = Readonly<Record<string, string>>;

/** The `kind` by which such settings are told from others. */
export const MAP_KIND = 'map';

/** Names to text: a map in a file, `NAME=text` (more than once) as a flag, a variable for each name. */
export const textMap = (options: SettingOptions<TextMap> & { readonly example: string }): Setting<TextMap> =>
  define<TextMap>(
    {
      kind: MAP_KIND,
      expected: `a map of names to text, or NAME=text such as \`${options.example}\``,
      parse: parseTextMap,
      format: (map) => JSON.stringify(map),
    },
    options,
  ) as Setting<TextMap>;

function parseTextMap(written: unknown): TextMap | undefined {
  if (typeof written === 'string' && written.trim().startsWith('{')) return parseTextMap(fromJson(written));
  if (typeof written === 'string') return parseTextMap([written]);
  if (typeof written !== 'object' || written === null) return undefined;
  const pairs = Array.isArray(written) ? written.map(splitPair) : Object.entries(written);
  const map: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const pair of pairs) {
    const value = pair === undefined ? undefined : entryText(pair[1]);
    if (pair === undefined || value === undefined || pair[0] === '') return undefined;
    map[pair[0]] = value;
  }
  return { ...map };
}

function fromJson(written: string): unknown {
  try {
    return JSON.parse(written) as unknown;
  } catch {
    return undefined;
  }
}

function splitPair(written: unknown): readonly [string, unknown] | undefined {
  const at = typeof written === 'string' ? written.indexOf('=') : -1;
  return typeof written === 'string' && at > 0 ? [written.slice(0, at), written.slice(at + 1)] : undefined;
}

function entryText(written: unknown): string | undefined {
  if (typeof written === 'string') return written;
  return typeof written === 'number' || typeof written === 'boolean' ? String(written) : undefined;
}
