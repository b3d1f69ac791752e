/** Settings that name something a module exports: `module#export`. */
import { settingOf, textOf } from './setting.js';

/** A file or package, a `#`, and the name of an export of it. Where it may be off, `false` stands for "not given". */
export const moduleExport = settingOf<string, { readonly example: string }>(({ example }) => ({
  kind: 'module export',
  expected: `\`module#export\` such as \`${example}\``,
  parse: (written) => {
    const value = textOf(written) ?? '';
    return /^.+#[^#\s]+$/.test(value) ? value : undefined;
  },
  format: (value) => value,
}));
