import { asStimulusId, asTaskKey } from '@spillway/kernel';
import { RELEASED } from './task.js';
import { TaskTable } from './task-table.js';

const cause = asStimulusId('s');

test('membership of a state follows the state', () => {
  const table = new TaskTable(10);
  const task = table.obtain(asTaskKey('x'));
  expect([...table.in('released')]).toEqual([task]);

  table.setState(task, { name: 'memory', nbytes: 1 }, 0, cause);

  expect(table.in('released').size).toBe(0);
  expect([...table.in('memory')]).toEqual([task]);
});

test('a key has one record', () => {
  const table = new TaskTable(10);

  expect(table.obtain(asTaskKey('x'))).toBe(table.obtain(asTaskKey('x')));
});

test('a forgotten task leaves its story and nothing else', () => {
  const table = new TaskTable(10);
  const task = table.obtain(asTaskKey('x'));
  table.setState(task, { name: 'memory', nbytes: 1 }, 5, cause);
  table.setState(task, RELEASED, 6, cause);

  table.forget(task, 7, cause);

  expect(table.get(task.key)).toBeUndefined();
  expect([...table.all()]).toEqual([]);
  expect(table.storyOf(task.key).map(({ from, to, atMs }) => [from, to, atMs])).toEqual([
    ['released', 'memory', 5],
    ['memory', 'released', 6],
    ['released', 'forgotten', 7],
  ]);
});
