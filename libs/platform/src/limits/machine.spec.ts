import { systemFiles } from './file-tree.js';
import { GiB, limitsFile, machine, MACHINE_BYTES, treeOf, v2 } from './fixture-trees.spec-d.js';
import { thisMachine } from './machine.js';

test('the least source decides, and is named', () => {
  const files = { ...machine, ...v2('/'), '/sys/fs/cgroup/memory.max': `${4 * GiB}\n` };
  expect(thisMachine(treeOf(files))).toMatchObject({
    totalBytes: 4 * GiB,
    isCgroupLimited: true,
    decidedBy: '/sys/fs/cgroup/memory.max',
  });
});

test('a machine without a limit is the whole of it', () => {
  expect(thisMachine(treeOf({ ...machine, ...v2('/') }))).toMatchObject({
    totalBytes: MACHINE_BYTES,
    isCgroupLimited: false,
    decidedBy: '/proc/meminfo MemTotal',
  });
});

test('a resource limit inside a container does not make the container the whole machine', () => {
  const files = {
    ...machine,
    ...v2('/'),
    '/sys/fs/cgroup/memory.max': `${4 * GiB}\n`,
    '/proc/self/limits': limitsFile({ as: 2 * GiB }),
  };
  expect(thisMachine(treeOf(files))).toMatchObject({ totalBytes: 2 * GiB, isCgroupLimited: true });
});

test('the machine of this test has memory and cores', () => {
  const { totalBytes, cores, decidedBy } = thisMachine();
  expect(totalBytes).toBeGreaterThan(2 ** 27);
  expect(totalBytes).toBeLessThan(2 ** 50);
  expect(cores).toBeGreaterThan(0);
  expect(decidedBy).not.toBe('');
});

test('a file that is missing, or is none, reads as nothing', () => {
  expect(systemFiles.read(__filename)).toContain('reads as nothing');
  expect(systemFiles.read(`${__filename}/missing`)).toBeUndefined();
  expect(systemFiles.read(__dirname)).toBeUndefined();
});
