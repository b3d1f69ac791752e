/** How many cores this process may use: of the machine, or of the quota of the container it is in. */
import { availableParallelism } from 'node:os';
import { cgroupFolders } from './cgroup-folders.js';
import type { FileTree } from './file-tree.js';

/**
 * The cores this process may be scheduled on, or a smaller quota of a control group above it, rounded up: half a core is
 * one.
 */
export function readCpuCores(tree: FileTree, available: () => number = availableParallelism): number {
  let cores = available();
  for (const { version, folders } of cgroupFolders(tree, 'cpu'))
    for (const folder of folders) cores = Math.min(cores, readQuota(tree, folder, version) ?? cores);
  return cores;
}

function readQuota(tree: FileTree, folder: string, version: 1 | 2): number | undefined {
  const [quota, period] =
    version === 2
      ? (tree.read(`${folder}/cpu.max`)?.trim().split(' ') ?? [])
      : [tree.read(`${folder}/cpu.cfs_quota_us`), tree.read(`${folder}/cpu.cfs_period_us`)];
  // -1 and `max` mean none.
  const cores = Math.ceil(positive(quota) / positive(period));
  return Number.isNaN(cores) ? undefined : Math.max(1, cores);
}

const positive = (text: string | undefined): number =>
  text !== undefined && /^\s*0*[1-9]\d*\s*$/.test(text) ? Number(text) : NaN;
