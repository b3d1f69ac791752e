import { asModuleHash } from '@spillway/kernel';
import type { FunctionRef } from '@spillway/messages';
import { FunctionTable } from './durations.js';

const bundle = (hash: string, exportName = 'run'): FunctionRef => ({
  kind: 'bundle',
  moduleHash: asModuleHash(hash),
  exportName,
});

test('the mean gives the latest run half of the weight, and is unknown before the first', () => {
  const table = new FunctionTable();
  const learned = table.acquire(bundle('m'));
  expect(learned.cost.meanMs).toBeUndefined();

  table.learn(learned, 100, 4_000);
  table.learn(learned, 50, 2_000);

  expect(learned.cost).toMatchObject({ meanMs: 75, meanOutputBytes: 3_000 });
});

test('tasks share what is known of a function, also when its bundle changes', () => {
  const table = new FunctionTable();
  const before = table.acquire(bundle('old'));
  table.learn(before, 8, 1);

  expect(table.acquire(bundle('old'))).toBe(before);
  expect(table.acquire(bundle('new')).cost.meanMs).toBe(8);
  expect(table.acquire(bundle('old', 'other')).cost.meanMs).toBeUndefined();
});

test('preinstalled functions are told apart by module and name, and belong to no bundle', () => {
  const table = new FunctionTable();
  const sum = table.acquire({ kind: 'preinstalled', module: 'math', exportName: 'sum' });
  table.learn(sum, 3, 1);
  table.release(sum);

  expect(sum.cost.name).toBe('math#sum');
  expect(table.takeIdleModules()).toEqual([]);
});

test('a bundle is idle once, after its last task, unless another task comes first', () => {
  const table = new FunctionTable();
  const [first, second] = [table.acquire(bundle('m')), table.acquire(bundle('m', 'other'))];
  table.release(first);
  expect(table.takeIdleModules()).toEqual([]);

  table.release(second);
  const third = table.acquire(bundle('m'));
  expect(table.takeIdleModules()).toEqual([]);

  table.release(third);
  expect(table.takeIdleModules()).toEqual(['m']);
  expect(table.takeIdleModules()).toEqual([]);
  expect(table.liveTaskCount(asModuleHash('m'))).toBe(0);
});
