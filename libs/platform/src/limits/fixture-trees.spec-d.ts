/** Machines, containers and pods as records of files, for the specs of limits. Texts are as kernels write them. */
import type { FileTree } from './file-tree.js';

export const MiB = 2 ** 20;
export const GiB = 2 ** 30;
/** What a kernel with 4 KiB pages says when version 1 has no limit. */
export const NO_LIMIT_V1 = '9223372036854771712\n';

/** `undefined`: there, but not to be read. What is not in the record is missing. */
export type Files = Readonly<Record<string, string | undefined>>;

export const treeOf = (files: Files): FileTree => ({ read: (path) => files[path] });

/** A machine of 16 GiB without control groups or resource limits. */
export const MACHINE_BYTES = 16 * GiB;
export const machine: Files = {
  '/proc/meminfo': `MemTotal:       ${MACHINE_BYTES / 1024} kB\nMemFree:         1048576 kB\nSwapTotal:       0 kB\n`,
  '/proc/self/limits': limitsFile({}),
};

/** `/proc/self/limits` with some soft values set. */
export function limitsFile(soft: { as?: number; data?: number; rss?: number; hardRss?: number }): string {
  const line = (name: string, value: number | undefined, hard?: number): string =>
    `${name.padEnd(26)}${String(value ?? 'unlimited').padEnd(21)}${String(hard ?? 'unlimited').padEnd(21)}bytes     \n`;
  return (
    'Limit                     Soft Limit           Hard Limit           Units     \n' +
    'Max cpu time              unlimited            unlimited            seconds   \n' +
    line('Max data size', soft.data) +
    'Max stack size            8388608              unlimited            bytes     \n' +
    line('Max resident set', soft.rss, soft.hardRss) +
    'Max locked memory         8388608              8388608              bytes     \n' +
    line('Max address space', soft.as)
  );
}

const OTHER_MOUNTS =
  '20 1 0:28 / / rw,relatime - overlay overlay rw,lowerdir=/a,upperdir=/b\n' +
  '22 20 0:21 / /proc rw,nosuid - proc proc rw\n';

/** A version 2 hierarchy: the group's path, and which group is at the mount point. */
export const v2 = (path: string, root = '/', point = '/sys/fs/cgroup'): Files => ({
  '/proc/self/cgroup': `0::${path}\n`,
  '/proc/self/mountinfo': `${OTHER_MOUNTS}30 22 0:26 ${root} ${point} ro,nosuid shared:4 - cgroup2 cgroup rw,nsdelegate\n`,
});

/** Version 1, with each controller mounted by itself but for cpu and cpuacct. */
export const v1 = (path: string, root = '/', mode = 'rw'): Files => ({
  '/proc/self/cgroup': `12:pids:${path}\n11:memory:${path}\n4:cpu,cpuacct:${path}\n1:name=systemd:${path}\n`,
  '/proc/self/mountinfo':
    OTHER_MOUNTS +
    '31 22 0:25 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755\n' +
    `32 31 0:27 ${root} /sys/fs/cgroup/systemd ${mode},nosuid - cgroup cgroup rw,xattr,name=systemd\n` +
    `35 31 0:31 ${root} /sys/fs/cgroup/cpu,cpuacct ${mode},nosuid shared:12 - cgroup cgroup rw,cpu,cpuacct\n` +
    `38 31 0:34 ${root} /sys/fs/cgroup/memory ${mode},nosuid shared:15 - cgroup cgroup rw,memory\n`,
});

/** Version 1 with the resources, version 2 beside it for the service manager: systemd's hybrid layout. */
export const hybrid = (v1Path: string, v2Path: string): Files => ({
  '/proc/self/cgroup': `9:name=systemd:${v2Path}\n4:memory:${v1Path}\n1:cpu:/\n0::${v2Path}\n`,
  '/proc/self/mountinfo':
    `${v1('/')['/proc/self/mountinfo']}` +
    '40 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n',
});
