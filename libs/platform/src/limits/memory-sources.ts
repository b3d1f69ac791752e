/**
 * Everything that bounds the memory of this process, each with where it was read: physical memory, control groups,
 * resource limits. What a worker may use of it is in `memory-limit.ts`.
 */
import { totalmem } from 'node:os';
import { cgroupFolders } from './cgroup-folders.js';
import type { FileTree } from './file-tree.js';

export interface MemorySource {
  readonly kind: 'physical' | 'cgroup' | 'rlimit';
  /** For logs: the file, with the name of the limit where the file has several. */
  readonly where: string;
  readonly bytes: number;
}

const CGROUP_FILES = {
  1: ['memory.limit_in_bytes', 'memory.soft_limit_in_bytes'],
  2: ['memory.max', 'memory.high'],
} as const;

/**
 * Soft values, since those are what the kernel enforces. Address space and data bound what a process can allocate; a
 * resident set limit is not enforced by Linux, but batch systems use it to say what a job may take, and Dask heeds it
 * (the hard value, which the soft one never exceeds).
 */
const RLIMITS = ['Max address space', 'Max data size', 'Max resident set'] as const;

/**
 * Physical memory first, then what is below it: `max`, no-limit sentinels, zero, and what is empty, missing, unreadable
 * or not a whole number limit nothing. `physicalBytes` is used where there is no `/proc/meminfo`.
 */
export function readMemorySources(tree: FileTree, physicalBytes: () => number = totalmem): MemorySource[] {
  const physical = readPhysical(tree) ?? { kind: 'physical', where: 'the system', bytes: physicalBytes() };
  const others = [...readCgroups(tree), ...readRlimits(tree)];
  return [physical, ...others.filter(({ bytes }) => bytes < physical.bytes)];
}

/** The source that decides: the least, and of equals the first. */
export function leastSource(sources: readonly MemorySource[]): MemorySource {
  return sources.reduce((least, source) => (source.bytes < least.bytes ? source : least));
}

function readPhysical(tree: FileTree): MemorySource | undefined {
  const [, kibibytes] = /^MemTotal:\s+(\d+) kB$/m.exec(tree.read('/proc/meminfo') ?? '') ?? [];
  const bytes = bytesOf(kibibytes);
  return bytes === undefined
    ? undefined
    : { kind: 'physical', where: '/proc/meminfo MemTotal', bytes: bytes * 1024 };
}

function* readCgroups(tree: FileTree): Generator<MemorySource> {
  for (const { version, folders } of cgroupFolders(tree, 'memory'))
    for (const [index, folder] of folders.entries()) {
      // In version 1 without it, what a group's children use is not charged to the group.
      if (version === 1 && index > 0 && tree.read(`${folder}/memory.use_hierarchy`)?.trim() === '0') break;
      for (const file of CGROUP_FILES[version]) {
        const where = `${folder}/${file}`;
        const bytes = bytesOf(tree.read(where));
        if (bytes !== undefined) yield { kind: 'cgroup', where, bytes };
      }
    }
}

function* readRlimits(tree: FileTree): Generator<MemorySource> {
  const text = tree.read('/proc/self/limits') ?? '';
  for (const name of RLIMITS) {
    const [, soft] = new RegExp(`^${name}\\s+(\\d+)\\s+\\S+\\s+bytes`, 'm').exec(text) ?? [];
    const bytes = bytesOf(soft);
    if (bytes !== undefined) yield { kind: 'rlimit', where: `/proc/self/limits ${name}`, bytes };
  }
}

/** A whole number of bytes that can be a limit. */
function bytesOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\s*\d+\s*$/.test(text)) return undefined;
  const bytes = Number(text);
  return bytes > 0 && bytes < Number.MAX_SAFE_INTEGER ? bytes : undefined;
}
