import {
  GiB,
  hybrid,
  limitsFile,
  machine,
  MACHINE_BYTES,
  MiB,
  NO_LIMIT_V1,
  treeOf,
  v1,
  v2,
  type Files,
} from './fixture-trees.spec-d.js';
import { leastSource, readMemorySources } from './memory-sources.js';

const V1 = '/sys/fs/cgroup/memory';
const V2 = '/sys/fs/cgroup';
const MEMINFO = '/proc/meminfo MemTotal';
const pod = '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12.slice';
const docker = '/docker/3f5c';

/** What each tree comes to, and which file decides. */
const TREES: readonly (readonly [name: string, files: Files, bytes: number, where: string])[] = [
  ['a machine without control groups', {}, MACHINE_BYTES, MEMINFO],
  [
    'v1: a container that sees only itself',
    { ...v1(docker, docker, 'ro'), [`${V1}/memory.limit_in_bytes`]: `${512 * MiB}\n` },
    512 * MiB,
    `${V1}/memory.limit_in_bytes`,
  ],
  [
    'v1: a process on the host, in a group below the root',
    {
      ...v1(docker),
      [`${V1}/memory.limit_in_bytes`]: NO_LIMIT_V1,
      [`${V1}/docker/memory.limit_in_bytes`]: NO_LIMIT_V1,
      [`${V1}${docker}/memory.limit_in_bytes`]: `${2 * GiB}\n`,
    },
    2 * GiB,
    `${V1}${docker}/memory.limit_in_bytes`,
  ],
  [
    'v1: an ancestor below its descendant',
    {
      ...v1('/batch/job7/step0'),
      [`${V1}/batch/memory.limit_in_bytes`]: `${3 * GiB}\n`,
      [`${V1}/batch/job7/memory.limit_in_bytes`]: `${1 * GiB}\n`,
      [`${V1}/batch/job7/step0/memory.limit_in_bytes`]: `${2 * GiB}\n`,
    },
    1 * GiB,
    `${V1}/batch/job7/memory.limit_in_bytes`,
  ],
  [
    'v1: an ancestor whose children are not charged to it',
    {
      ...v1('/batch/job7'),
      [`${V1}/batch/memory.limit_in_bytes`]: `${1 * GiB}\n`,
      [`${V1}/batch/memory.use_hierarchy`]: '0\n',
      [`${V1}/batch/job7/memory.limit_in_bytes`]: `${4 * GiB}\n`,
      [`${V1}/batch/job7/memory.use_hierarchy`]: '0\n',
    },
    4 * GiB,
    `${V1}/batch/job7/memory.limit_in_bytes`,
  ],
  [
    'v1: a soft limit below the hard one',
    {
      ...v1(docker, docker),
      [`${V1}/memory.limit_in_bytes`]: `${4 * GiB}\n`,
      [`${V1}/memory.soft_limit_in_bytes`]: `${3 * GiB}\n`,
    },
    3 * GiB,
    `${V1}/memory.soft_limit_in_bytes`,
  ],
  [
    'v1: no-limit sentinels of 4 KiB and 64 KiB pages',
    {
      ...v1('/a'),
      [`${V1}/memory.limit_in_bytes`]: NO_LIMIT_V1,
      [`${V1}/a/memory.limit_in_bytes`]: '9223372036854710272\n',
      [`${V1}/a/memory.soft_limit_in_bytes`]: NO_LIMIT_V1,
    },
    MACHINE_BYTES,
    MEMINFO,
  ],
  [
    'v1: a limit above physical memory',
    { ...v1(docker, docker), [`${V1}/memory.limit_in_bytes`]: `${64 * GiB}\n` },
    MACHINE_BYTES,
    MEMINFO,
  ],
  [
    'v1: a limit of exactly physical memory',
    { ...v1(docker, docker), [`${V1}/memory.limit_in_bytes`]: `${MACHINE_BYTES}\n` },
    MACHINE_BYTES,
    MEMINFO,
  ],
  [
    'v1: the mount shows another group than ours, so what it shows is taken',
    { ...v1('/docker/moved', '/docker/first', 'ro'), [`${V1}/memory.limit_in_bytes`]: `${768 * MiB}\n` },
    768 * MiB,
    `${V1}/memory.limit_in_bytes`,
  ],
  [
    'v1: a group made inside a container, below its hidden prefix',
    {
      ...v1(`${docker}/inner/deep`, docker),
      [`${V1}/memory.limit_in_bytes`]: `${2 * GiB}\n`,
      [`${V1}/inner/memory.limit_in_bytes`]: `${1 * GiB}\n`,
      [`${V1}/inner/deep/memory.limit_in_bytes`]: NO_LIMIT_V1,
    },
    1 * GiB,
    `${V1}/inner/memory.limit_in_bytes`,
  ],
  [
    'v1: a name that only begins like the root of the mount is not below it',
    {
      ...v1('/docker/3f5c-other/x', docker),
      [`${V1}/memory.limit_in_bytes`]: `${2 * GiB}\n`,
      [`${V1}/-other/x/memory.limit_in_bytes`]: `${1 * GiB}\n`,
    },
    2 * GiB,
    `${V1}/memory.limit_in_bytes`,
  ],
  [
    'v2: a container with a namespace of its own',
    { ...v2('/'), [`${V2}/memory.max`]: `${512 * MiB}\n`, [`${V2}/memory.high`]: 'max\n' },
    512 * MiB,
    `${V2}/memory.max`,
  ],
  ['v2: the root of the host, which has no limits', v2('/'), MACHINE_BYTES, MEMINFO],
  [
    'v2: memory.high throttles before memory.max kills',
    { ...v2('/'), [`${V2}/memory.max`]: `${2 * GiB}\n`, [`${V2}/memory.high`]: `${1.5 * GiB}\n` },
    1.5 * GiB,
    `${V2}/memory.high`,
  ],
  [
    'v2: memory.low and memory.min protect, and limit nothing',
    { ...v2('/'), [`${V2}/memory.low`]: `${1 * GiB}\n`, [`${V2}/memory.min`]: `${1 * GiB}\n` },
    MACHINE_BYTES,
    MEMINFO,
  ],
  [
    'v2: max everywhere',
    {
      ...v2('/user.slice/user-0.slice/session-3.scope'),
      [`${V2}/user.slice/memory.max`]: 'max\n',
      [`${V2}/user.slice/user-0.slice/memory.max`]: 'max\n',
      [`${V2}/user.slice/user-0.slice/session-3.scope/memory.max`]: 'max\n',
      [`${V2}/user.slice/user-0.slice/session-3.scope/memory.high`]: 'max\n',
    },
    MACHINE_BYTES,
    MEMINFO,
  ],
  [
    'v2: a service in a systemd slice that is smaller than the service may be',
    {
      ...v2('/system.slice/system-spillway.slice/spillway@1.service'),
      [`${V2}/system.slice/memory.max`]: 'max\n',
      [`${V2}/system.slice/system-spillway.slice/memory.max`]: `${6 * GiB}\n`,
      [`${V2}/system.slice/system-spillway.slice/spillway@1.service/memory.max`]: `${8 * GiB}\n`,
    },
    6 * GiB,
    `${V2}/system.slice/system-spillway.slice/memory.max`,
  ],
  [
    'v2: MemoryHigh of a slice far above',
    {
      ...v2('/user.slice/user-1000.slice/user@1000.service/app.slice/a.scope'),
      [`${V2}/user.slice/memory.high`]: `${5 * GiB}\n`,
      [`${V2}/user.slice/user-1000.slice/user@1000.service/app.slice/a.scope/memory.max`]: 'max\n',
    },
    5 * GiB,
    `${V2}/user.slice/memory.high`,
  ],
  [
    'v2: a name with escaped characters in the mount point',
    {
      ...v2('/a b', '/', '/sys/fs/cg\\040roup'),
      '/sys/fs/cg roup/a b/memory.max': `${1 * GiB}\n`,
    },
    1 * GiB,
    '/sys/fs/cg roup/a b/memory.max',
  ],
  [
    'v2: a colon in the name of a group',
    { ...v2('/a:b:c'), [`${V2}/a:b:c/memory.max`]: `${1 * GiB}\n` },
    1 * GiB,
    `${V2}/a:b:c/memory.max`,
  ],
  [
    'v2: moved out of the namespace, so what is mounted is taken and nothing beside it',
    { ...v2('/../other'), [`${V2}/memory.max`]: `${3 * GiB}\n`, '/sys/fs/other/memory.max': '1\n' },
    3 * GiB,
    `${V2}/memory.max`,
  ],
  [
    'v2: read-only, and a mount of the container alone in the hierarchy of the host',
    {
      ...v2('/docker/3f5c', '/docker/3f5c'),
      [`${V2}/memory.max`]: `${640 * MiB}\n`,
      [`${V2}/docker/3f5c/memory.max`]: '1\n',
    },
    640 * MiB,
    `${V2}/memory.max`,
  ],
  [
    'kubernetes v1: a limit on the pod, none on the container',
    {
      ...v1(`${pod}/cri-containerd-9a.scope`),
      [`${V1}${pod}/memory.limit_in_bytes`]: `${1 * GiB}\n`,
      [`${V1}${pod}/cri-containerd-9a.scope/memory.limit_in_bytes`]: NO_LIMIT_V1,
    },
    1 * GiB,
    `${V1}${pod}/memory.limit_in_bytes`,
  ],
  [
    'kubernetes v2: a limit on the pod below that of the container',
    {
      ...v2(`${pod}/cri-containerd-9a.scope`),
      [`${V2}/kubepods.slice/memory.max`]: `${15 * GiB}\n`,
      [`${V2}${pod}/memory.max`]: `${1 * GiB}\n`,
      [`${V2}${pod}/cri-containerd-9a.scope/memory.max`]: `${2 * GiB}\n`,
    },
    1 * GiB,
    `${V2}${pod}/memory.max`,
  ],
  [
    'hybrid: 0::/ beside a memory controller of v1',
    { ...hybrid('/batch', '/'), [`${V1}/batch/memory.limit_in_bytes`]: `${768 * MiB}\n` },
    768 * MiB,
    `${V1}/batch/memory.limit_in_bytes`,
  ],
  [
    'hybrid: no limit in v1, and v2 without a memory controller',
    {
      ...hybrid('/process_api/1', '/'),
      [`${V1}/process_api/1/memory.limit_in_bytes`]: NO_LIMIT_V1,
      [`${V1}/process_api/1/memory.soft_limit_in_bytes`]: NO_LIMIT_V1,
    },
    MACHINE_BYTES,
    MEMINFO,
  ],
  [
    'hybrid: both limit, the smaller counts',
    {
      ...hybrid('/batch', '/batch.service'),
      [`${V1}/batch/memory.limit_in_bytes`]: `${2 * GiB}\n`,
      [`${V2}/unified/batch.service/memory.max`]: `${1 * GiB}\n`,
    },
    1 * GiB,
    `${V2}/unified/batch.service/memory.max`,
  ],
  ...['0\n', '', '\n', '-1\n', '1e9\n', '12 GiB\n', 'max', '4096x\n', '1.5\n', undefined].map(
    (text) =>
      [
        `v2: ${text === undefined ? 'an unreadable file' : JSON.stringify(text)} limits nothing, and the parent's limit counts`,
        { ...v2('/a'), [`${V2}/memory.max`]: `${4 * GiB}\n`, [`${V2}/a/memory.max`]: text },
        4 * GiB,
        `${V2}/memory.max`,
      ] as const,
  ),
  [
    'groups that do not say which we are in: the mount point',
    {
      ...v2('/a', '/a'),
      '/proc/self/cgroup': undefined,
      [`${V2}/memory.max`]: `${1 * GiB}\n`,
    },
    1 * GiB,
    `${V2}/memory.max`,
  ],
  [
    'mounts that may not be read: where everybody mounts them (v2)',
    { ...v2('/'), '/proc/self/mountinfo': undefined, [`${V2}/memory.max`]: `${1 * GiB}\n` },
    1 * GiB,
    `${V2}/memory.max`,
  ],
  [
    'mounts that may not be read: where everybody mounts them (v1)',
    {
      ...v1('/a'),
      '/proc/self/mountinfo': undefined,
      [`${V1}/a/memory.limit_in_bytes`]: `${1 * GiB}\n`,
    },
    1 * GiB,
    `${V1}/a/memory.limit_in_bytes`,
  ],
  [
    'lines of garbage among the groups and mounts',
    {
      '/proc/self/cgroup': 'x\n0:\n::\n0::/a\n',
      '/proc/self/mountinfo': `- -\n\nnot a mount\n${v2('/a')['/proc/self/mountinfo']}`,
      [`${V2}/a/memory.max`]: `${1 * GiB}\n`,
    },
    1 * GiB,
    `${V2}/a/memory.max`,
  ],
  [
    'a limit of the address space',
    { '/proc/self/limits': limitsFile({ as: 4 * GiB }) },
    4 * GiB,
    '/proc/self/limits Max address space',
  ],
  [
    'a limit of the data segment below that of the container',
    {
      ...v2('/'),
      [`${V2}/memory.max`]: `${4 * GiB}\n`,
      '/proc/self/limits': limitsFile({ data: 2 * GiB, as: 8 * GiB }),
    },
    2 * GiB,
    '/proc/self/limits Max data size',
  ],
  [
    'a soft limit of the resident set, below the hard one',
    { '/proc/self/limits': limitsFile({ rss: 2 * GiB, hardRss: 3 * GiB }) },
    2 * GiB,
    '/proc/self/limits Max resident set',
  ],
  [
    'a hard limit that the process was let off below is no limit yet',
    { '/proc/self/limits': limitsFile({ hardRss: 3 * GiB }) },
    MACHINE_BYTES,
    MEMINFO,
  ],
  ['no limits file', { '/proc/self/limits': undefined }, MACHINE_BYTES, MEMINFO],
];

test.each(TREES)('%s', (_name, files, bytes, where) => {
  expect(leastSource(readMemorySources(treeOf({ ...machine, ...files })))).toMatchObject({ bytes, where });
});

test('where there is no /proc, the system says how much memory there is', () => {
  expect(readMemorySources(treeOf({}), () => 8 * GiB)).toEqual([
    { kind: 'physical', where: 'the system', bytes: 8 * GiB },
  ]);
});

test('every source is told, with its kind, so that an operator sees them all', () => {
  const files = {
    ...machine,
    ...v2('/a'),
    [`${V2}/memory.max`]: `${4 * GiB}\n`,
    [`${V2}/a/memory.max`]: `${3 * GiB}\n`,
    '/proc/self/limits': limitsFile({ as: 8 * GiB }),
  };
  expect(readMemorySources(treeOf(files))).toEqual([
    { kind: 'physical', where: MEMINFO, bytes: MACHINE_BYTES },
    { kind: 'cgroup', where: `${V2}/a/memory.max`, bytes: 3 * GiB },
    { kind: 'cgroup', where: `${V2}/memory.max`, bytes: 4 * GiB },
    { kind: 'rlimit', where: '/proc/self/limits Max address space', bytes: 8 * GiB },
  ]);
});
