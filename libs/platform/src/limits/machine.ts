/** What this process and its siblings may use together: the machine, or the container they are in. */
import { readCpuCores } from './cpu-cores.js';
import { systemFiles, type FileTree } from './file-tree.js';
import { leastSource, readMemorySources, type MemorySource } from './memory-sources.js';

export interface Machine {
  readonly totalBytes: number;
  readonly cores: number;
  /** Whether a control group limits memory: it is then ours alone, however many cores the machine has. */
  readonly isCgroupLimited: boolean;
  /** Which source `totalBytes` is from, for the log. */
  readonly decidedBy: string;
}

/** Reads everything anew, so that limits may change while we run. */
export function thisMachine(tree: FileTree = systemFiles): Machine {
  return machineOf(readMemorySources(tree), readCpuCores(tree));
}

export function machineOf(sources: readonly MemorySource[], cores: number): Machine {
  const least = leastSource(sources);
  return {
    totalBytes: least.bytes,
    cores,
    isCgroupLimited: sources.some(({ kind }) => kind === 'cgroup'),
    decidedBy: least.where,
  };
}
