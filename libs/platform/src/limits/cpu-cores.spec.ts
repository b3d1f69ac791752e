import { readCpuCores } from './cpu-cores.js';
import { treeOf, v1, v2, type Files } from './fixture-trees.spec-d.js';

const V1 = '/sys/fs/cgroup/cpu,cpuacct';

test.each<[string, Files, number]>([
  ['no control groups: all cores', {}, 8],
  ['v2: no quota', { ...v2('/'), '/sys/fs/cgroup/cpu.max': 'max 100000\n' }, 8],
  ['v2: half a core is one', { ...v2('/'), '/sys/fs/cgroup/cpu.max': '50000 100000\n' }, 1],
  ['v2: a core and a half are two', { ...v2('/'), '/sys/fs/cgroup/cpu.max': '150000 100000\n' }, 2],
  ['v2: more than there are', { ...v2('/'), '/sys/fs/cgroup/cpu.max': '3200000 100000\n' }, 8],
  [
    'v2: the quota of the pod above the container',
    { ...v2('/pod/c'), '/sys/fs/cgroup/pod/cpu.max': '300000 100000\n' },
    3,
  ],
  ['v2: garbage', { ...v2('/'), '/sys/fs/cgroup/cpu.max': 'a lot\n' }, 8],
  ['v2: an empty file', { ...v2('/'), '/sys/fs/cgroup/cpu.max': '' }, 8],
  [
    'v1: a quota',
    { ...v1('/d', '/d'), [`${V1}/cpu.cfs_quota_us`]: '250000\n', [`${V1}/cpu.cfs_period_us`]: '100000\n' },
    3,
  ],
  [
    'v1: -1 is none',
    { ...v1('/d'), [`${V1}/d/cpu.cfs_quota_us`]: '-1\n', [`${V1}/d/cpu.cfs_period_us`]: '100000\n' },
    8,
  ],
  ['v1: a quota without a period', { ...v1('/d'), [`${V1}/d/cpu.cfs_quota_us`]: '100000\n' }, 8],
  [
    'v1: a period of zero',
    { ...v1('/d'), [`${V1}/d/cpu.cfs_quota_us`]: '100000\n', [`${V1}/d/cpu.cfs_period_us`]: '0\n' },
    8,
  ],
])('%s', (_name, files, cores) => {
  expect(readCpuCores(treeOf(files), () => 8)).toBe(cores);
});
