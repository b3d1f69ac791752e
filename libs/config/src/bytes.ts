/**
 * The one grammar of byte sizes (conventions I06): a number, then a unit or nothing. `4 GiB`, `4GB`, `2e3 MB`, `512MiB`,
 * `4k`, `4Ki`. Units ignore case; k, M, G, T, P are powers of 1000, with an `i` powers of 1024. Text that is not wholly
 * of this form is refused, never read as far as it goes. (`bytes` reads `4 GiB` as 4, `bytes-iec` reads 1.005 kB as 1004
 * and throws on `4 iB`: hence a grammar of our own.)
 */

const PREFIXES = ['k', 'm', 'g', 't', 'p'];
const NUMBER_AND_UNIT = /^(\d+(?:\.\d+)?|\.\d+)(e[+-]?\d{1,3})?\s*([a-z]*)$/i;

/** Bytes in one of `unit`; `undefined` for what is no unit. */
function bytesInUnit(unit: string): number | undefined {
  if (unit === '' || unit === 'b') return 1;
  const match = /^([kmgtp])(i?)b?$/.exec(unit);
  if (match === null) return undefined;
  const power = PREFIXES.indexOf(match[1] ?? '') + 1;
  return (match[2] === 'i' ? 1024 : 1000) ** power;
}

/** Whole bytes. A product such as 1.005 × 1000 comes out a hair below the whole number it stands for. */
function wholeBytes(exact: number): number {
  const nearest = Math.round(exact);
  return Math.abs(nearest - exact) <= exact * 1e-15 * 4 ? nearest : Math.floor(exact);
}

/** What the text says, in bytes and truncated to a whole number; `undefined` for text that is not a byte size. */
export function parseBytes(text: string): number | undefined {
  const match = NUMBER_AND_UNIT.exec(text.trim());
  if (match === null) return undefined;
  const scale = bytesInUnit((match[3] ?? '').toLowerCase());
  if (scale === undefined) return undefined;
  const bytes = wholeBytes(Number(`${match[1] ?? ''}${match[2] ?? ''}`) * scale);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

function exactlyIn(bytes: number, scale: number): string | undefined {
  const count = Number((bytes / scale).toFixed(2));
  return count >= 1 && wholeBytes(count * scale) === bytes ? `${count}` : undefined;
}

/** Shortest exact text of a whole number of bytes: `parseBytes(formatBytes(x)) === x`. */
export function formatBytes(bytes: number): string {
  for (const infix of ['i', '']) {
    for (const prefix of PREFIXES.toReversed()) {
      const unit =
        infix === 'i' ? `${prefix.toUpperCase()}iB` : prefix === 'k' ? 'kB' : `${prefix.toUpperCase()}B`;
      const count = exactlyIn(bytes, bytesInUnit(unit.toLowerCase()) ?? 1);
      if (count !== undefined) return `${count} ${unit}`;
    }
  }
  return `${bytes} B`;
}
