/** What kind of file system a folder is on: spilling to one that is memory itself frees nothing. */
import { statfs } from 'node:fs/promises';

/** Linux's magic numbers (statfs(2)); other systems report others. */
const MEMORY_TYPES: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
]);

export interface FileSystem {
  /** `tmpfs` or `ramfs`; `false` for all that is not memory. */
  readonly memoryKind: string | false;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export async function fileSystemOf(folder: string): Promise<FileSystem> {
  const { type, bavail, blocks, bsize } = await statfs(folder);
  const memoryKind = process.platform === 'linux' ? (MEMORY_TYPES.get(type) ?? false) : false;
  return { memoryKind, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
