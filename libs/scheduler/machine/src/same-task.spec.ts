import { isSameTask } from './same-task.js';
import { aTask } from './testing/index.js';

const task = aTask('x', { dependencies: ['a', 'b'] });

test('the same function, arguments, dependencies and encoding make the same task', () => {
  expect(isSameTask(task, aTask('x', { dependencies: ['a', 'b'] }))).toBe(true);
});

test.each([
  ['another function', aTask('x', { dependencies: ['a', 'b'], functionName: 'other' })],
  ['another bundle', aTask('x', { dependencies: ['a', 'b'], moduleHash: 'other' })],
  ['other arguments', aTask('x', { dependencies: ['a', 'b'], args: 1 })],
  ['other dependencies', aTask('x', { dependencies: ['a'] })],
  ['its dependencies in another order', aTask('x', { dependencies: ['b', 'a'] })],
  ['another encoding', { ...task, resultEncoding: 'json' as const }],
  [
    'a preinstalled function',
    { ...task, function: { kind: 'preinstalled' as const, module: 'module', exportName: 'run' } },
  ],
])('a task with %s is another task', (_what, other) => {
  expect(isSameTask(task, other)).toBe(false);
  expect(isSameTask(other, task)).toBe(false);
});

test('how a task is to be run does not make it another one', () => {
  const urgent = aTask('x', {
    dependencies: ['a', 'b'],
    priority: 9,
    retries: 2,
    workers: ['w'],
    recompute: false,
  });
  expect(isSameTask(task, urgent)).toBe(true);
});
