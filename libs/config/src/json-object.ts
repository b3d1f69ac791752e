/** Settings that somebody else's code takes: a JSON object, as text or, in a file, as a map. */
import { define, type Setting, type SettingOptions } from './setting.js';

export type JsonObject = Readonly<Record<string, unknown>>;

export const jsonObject = (
  options: SettingOptions<JsonObject> & { readonly example: string },
): Setting<JsonObject> =>
  define<JsonObject>(
    {
      kind: 'json object',
      expected: `a JSON object such as \`${options.example}\``,
      parse: parseJsonObject,
      format: (value) => JSON.stringify(value),
    },
    options,
  ) as Setting<JsonObject>;

/** Through text in any case: what JSON cannot say would not reach a worker that a nanny starts. */
function parseJsonObject(written: unknown): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(typeof written === 'string' ? written : JSON.stringify(written));
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
