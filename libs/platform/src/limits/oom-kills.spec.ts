import { readOomKills } from './oom-kills.js';

const tree = (files: Readonly<Record<string, string>>) => ({ read: (path: string) => files[path] });

test('is read from the own group of a unified hierarchy', () => {
  const files = {
    '/proc/self/cgroup': '0::/pod/nanny\n',
    '/proc/self/mountinfo': '30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n',
    '/sys/fs/cgroup/pod/nanny/memory.events': 'low 0\nhigh 4\nmax 9\noom 3\noom_kill 2\n',
    '/sys/fs/cgroup/pod/memory.events': 'oom_kill 7\n',
  };
  expect(readOomKills(tree(files))).toBe(2);
});

test('is read from the memory hierarchy of version 1', () => {
  const files = {
    '/proc/self/cgroup': '4:memory:/docker/abc\n0::/\n',
    '/proc/self/mountinfo': '34 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n',
    '/sys/fs/cgroup/memory/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 5\n',
  };
  expect(readOomKills(tree(files))).toBe(5);
});

test('is none where there are no control groups, or nothing is said', () => {
  expect(readOomKills(tree({}))).toBe(0);
  expect(readOomKills()).toBeGreaterThanOrEqual(0);
});
