/** Names of folders made of names that others chose. */
import { createHash } from 'node:crypto';

const PLAIN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/**
 * The name itself where it is a harmless file name; else its harmless part with a hash, so that different names stay
 * different and none leads out of its folder (conventions S01).
 */
export function folderName(name: string): string {
  if (PLAIN.test(name)) return name;
  const harmless = name.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 60);
  return `x${harmless}-${createHash('sha256').update(name).digest('hex').slice(0, 12)}`;
}
