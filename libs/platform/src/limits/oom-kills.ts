/** How often the kernel has ended a process of this control group for want of memory: to tell such a death from others. */
import { cgroupFolders } from './cgroup-folders.js';
import { systemFiles, type FileTree } from './file-tree.js';

/** Both have a line `oom_kill 3`; that of version 2 counts the groups below as well. */
const FILES = { 1: 'memory.oom_control', 2: 'memory.events' } as const;

/** Of the own group; 0 where it cannot be told. */
export function readOomKills(tree: FileTree = systemFiles): number {
  const counts = cgroupFolders(tree, 'memory').map(({ version, folders }) => {
    const text = tree.read(`${folders[0]}/${FILES[version]}`) ?? '';
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
  });
  return Math.max(0, ...counts);
}
