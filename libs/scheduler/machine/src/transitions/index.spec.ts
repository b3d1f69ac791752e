import { InvalidTransitionError } from '@spillway/kernel';
import { Core } from '../core.js';
import { resolveOptions } from '../options.js';
import { FORGOTTEN, SchedulerTask } from '../task.js';
import { aTask } from '../testing/index.js';
import { move, transitionPairs } from './index.js';

test('the table has these moves and no others', () => {
  expect(transitionPairs().sort()).toEqual([
    'awaited>memory',
    'awaited>processing',
    'awaited>released',
    'erred>released',
    'memory>awaited',
    'memory>released',
    'no-worker>erred',
    'no-worker>memory',
    'no-worker>released',
    'no-worker>waiting',
    'processing>erred',
    'processing>memory',
    'processing>released',
    'processing>waiting',
    'queued>erred',
    'queued>memory',
    'queued>processing',
    'queued>released',
    'queued>waiting',
    'released>erred',
    'released>forgotten',
    'released>memory',
    'released>waiting',
    'waiting>erred',
    'waiting>memory',
    'waiting>no-worker',
    'waiting>processing',
    'waiting>queued',
    'waiting>released',
  ]);
});

test('a move that is not in the table is our mistake, told with the story of the task', () => {
  const core = new Core(resolveOptions({}));
  const spec = aTask('x');
  const task = new SchedulerTask(spec.key, spec, undefined, 1, 0);
  core.table.add(task);
  move(core, task, { name: 'waiting', missingCount: 1 });

  const forget = (): void => move(core, task, FORGOTTEN);

  expect(forget).toThrow(InvalidTransitionError);
  expect(forget).toThrow(/waiting>forgotten.*released > waiting/s);
});
