/**
 * Where the limits of this process's control groups are to be read: its own group and every ancestor that is visible,
 * in each hierarchy that may limit a controller. Which files there mean what is in `memory-sources.ts`, `cpu-cores.ts`.
 */
import type { FileTree } from './file-tree.js';

export type Controller = 'memory' | 'cpu';

/** One hierarchy as seen from this process. */
export interface CgroupFolders {
  readonly version: 1 | 2;
  /** The own group's folder, then its parent's, up to the root of the mount. */
  readonly folders: readonly string[];
}

interface Hierarchy {
  readonly version: 1 | 2;
  /** The group of this process, from the root of the hierarchy or of the cgroup namespace. */
  readonly path: string;
}

interface Mount {
  readonly version: 1 | 2;
  /** Which group of the hierarchy is at the mount point: in a container often its own, not `/`. */
  readonly root: string;
  readonly point: string;
  /** Of version 1: what the hierarchy controls. */
  readonly controllers: readonly string[];
}

/** Version 1, version 2 and both side by side (hybrid). Empty where there are no control groups. */
export function cgroupFolders(tree: FileTree, controller: Controller): CgroupFolders[] {
  const mounts = readMounts(tree, controller);
  return readHierarchies(tree, controller).flatMap(({ version, path }) =>
    foldersOf(
      mounts.filter((mount) => mount.version === version),
      path,
    ).map((folders) => ({ version, folders })),
  );
}

/** Lines are `4:memory:/docker/abc` (version 1) and `0::/system.slice/x.service` (version 2). */
function readHierarchies(tree: FileTree, controller: Controller): Hierarchy[] {
  const text = tree.read('/proc/self/cgroup');
  // Hidden from us: what the mount points show is all there is.
  if (text === undefined)
    return [
      { version: 1, path: '/' },
      { version: 2, path: '/' },
    ];
  return text.split('\n').flatMap((line): Hierarchy[] => {
    const [, id, controllers, path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) return [];
    if (id === '0' && controllers === '') return [{ version: 2, path }];
    return controllers?.split(',').includes(controller) === true ? [{ version: 1, path }] : [];
  });
}

/** Where everybody mounts them; for a process that may not see its mounts. */
const CUSTOMARY: readonly Mount[] = [
  { version: 2, root: '/', point: '/sys/fs/cgroup', controllers: [] },
  { version: 1, root: '/', point: '/sys/fs/cgroup/memory', controllers: ['memory'] },
  { version: 1, root: '/', point: '/sys/fs/cgroup/cpu', controllers: ['cpu'] },
];

function readMounts(tree: FileTree, controller: Controller): Mount[] {
  const text = tree.read('/proc/self/mountinfo');
  const mounts = text === undefined ? CUSTOMARY : text.split('\n').flatMap(mountOf);
  return mounts.filter(({ version, controllers }) => version === 2 || controllers.includes(controller));
}

/** `34 31 0:32 /docker/abc /sys/fs/cgroup/memory ro,relatime master:1 - cgroup cgroup rw,memory` (proc(5)). */
function mountOf(line: string): Mount[] {
  const [before, after] = line.split(' - ', 2);
  const [, , , root, point] = before?.split(' ') ?? [];
  const [type, , options] = after?.split(' ') ?? [];
  if (root === undefined || point === undefined || (type !== 'cgroup' && type !== 'cgroup2')) return [];
  return [
    {
      version: type === 'cgroup' ? 1 : 2,
      root: unescaped(root),
      point: unescaped(point),
      controllers: options?.split(',') ?? [],
    },
  ];
}

const unescaped = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

/** One list for each mount that shows the group; a hierarchy may be mounted more than once. */
function foldersOf(mounts: readonly Mount[], path: string): string[][] {
  const walks = mounts.flatMap(({ root, point }) => {
    const inside = below(root, path);
    return inside === undefined ? [] : [walkUp(point, inside)];
  });
  if (walks.length > 0) return walks;
  // The group is outside of all that is mounted: moved after the mount, or out of the namespace (`/../x`). What is at
  // the mount point is then the limit of the container around us, or close to it. Too little is safer than too much.
  return mounts.map(({ point }) => [point]);
}

/** The part of `path` behind `root`, as names; `undefined` when it is not below. */
function below(root: string, path: string): string[] | undefined {
  const rootNames = namesOf(root);
  const names = namesOf(path);
  if (names.includes('..') || rootNames.includes('..')) return undefined;
  return rootNames.every((name, index) => names[index] === name) ? names.slice(rootNames.length) : undefined;
}

const namesOf = (path: string): string[] => path.split('/').filter((name) => name !== '');

const walkUp = (point: string, names: readonly string[]): string[] =>
  Array.from({ length: names.length + 1 }, (_, up) =>
    [point, ...names.slice(0, names.length - up)].join('/'),
  );
