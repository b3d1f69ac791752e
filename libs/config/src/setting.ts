/**
 * What a setting is: its default, its documentation, and how to read and write its values. The kinds of values (bytes,
 * durations, ...) are in value-kinds.ts, the settings themselves in settings.ts.
 */

export type Program = 'scheduler' | 'nanny' | 'worker' | 'client';

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false };

export interface Setting<T> {
  readonly kind: string;
  /** What may be written, as a phrase: "a duration such as `200ms`". Also the `expected` of an error. */
  readonly expected: string;
  readonly default: T;
  readonly mayBeOff: boolean;
  /** One paragraph: what it does, and what more and less of it costs. */
  readonly doc: string;
  /** `cluster`: all programs of a cluster must agree on it. `process`: each program has its own. */
  readonly group: 'cluster' | 'process';
  /** Which programs use it. */
  readonly programs: readonly Program[];
  /** Command line flag, with its dashes, in those of `programs` that have flags. */
  readonly flag: string | undefined;
  parse(written: unknown): Parsed<T>;
  format(value: T): string;
}

/** The parts of a setting that its author gives; `mayBeOff` makes `false` (also `none`, `off`) a value of it. */
export interface SettingOptions<T> {
  readonly default: T;
  readonly doc: string;
  readonly programs: readonly Program[];
  readonly group?: 'cluster' | 'process';
  readonly flag?: `--${string}`;
}
export type MayBeOff<T> = SettingOptions<T | false> & { readonly mayBeOff: true };
export type NeverOff<T> = SettingOptions<T> & { readonly mayBeOff?: false };

/** How values of one kind are read and written. `parse` reads back what `format` gives. */
export interface Kind<T> {
  readonly kind: string;
  readonly expected: string;
  /** `undefined` refuses. Not asked for what means "off". */
  readonly parse: (written: unknown) => T | undefined;
  readonly format: (value: T) => string;
}

const OFF_WORDS = new Set(['false', 'none', 'off', 'null']);

/** Whether someone wrote "off": `false`, `none`, `off`, `null`, or nothing behind a name in a file. */
export function meansOff(written: unknown): boolean {
  if (typeof written === 'string') return OFF_WORDS.has(written.trim().toLowerCase());
  return written === false || written === null;
}

/** The setting that has values of this kind. */
export function define<T>(
  kind: Kind<T>,
  options: SettingOptions<T | false> & { mayBeOff?: boolean },
): Setting<T | false> {
  const mayBeOff = options.mayBeOff ?? false;
  return {
    kind: kind.kind,
    expected: mayBeOff ? `${kind.expected}, or false` : kind.expected,
    default: options.default,
    mayBeOff,
    doc: options.doc,
    group: options.group ?? 'process',
    programs: options.programs,
    flag: options.flag,
    parse(written) {
      if (mayBeOff && meansOff(written)) return { ok: true, value: false };
      const value = kind.parse(written);
      return value === undefined ? { ok: false } : { ok: true, value };
    },
    format: (value) => (mayBeOff && value === false ? 'false' : kind.format(value as T)),
  };
}

/** A setting function that gives `Setting<T>`, or `Setting<T | false>` where the setting may be off. */
export interface SettingOf<T, Extra = unknown> {
  (options: NeverOff<T> & Extra): Setting<T>;
  (options: MayBeOff<T> & Extra): Setting<T | false>;
}

/** The function that makes settings of a kind, which may depend on `Extra` (a range, an example). */
export function settingOf<T, Extra>(kindOf: (extra: Extra) => Kind<T>): SettingOf<T, Extra> {
  type Options = (NeverOff<T> | MayBeOff<T>) & Extra;
  return ((options: Options) => define(kindOf(options), options)) as SettingOf<T, Extra>;
}

/** Text or a number as text; `undefined` for what is neither. */
export const textOf = (written: unknown): string | undefined => {
  if (typeof written === 'number') return `${written}`;
  return typeof written === 'string' ? written.trim() : undefined;
};

/** A plain number without sign or unit: `0.5`, `1e-3`. */
export function parseNumber(written: string): number | undefined {
  return /^(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?$/i.test(written) ? Number(written) : undefined;
}
