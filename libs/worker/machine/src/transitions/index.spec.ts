import { InvalidTransitionError, asStimulusId, asWorkerId } from '@spillway/kernel';
import { MachineContext } from '../context.js';
import { DEFAULT_LIMITS } from '../options.js';
import { RELEASED } from '../task.js';
import { dataPut } from '../testing/index.js';
import { transitionPairs } from './index.js';

test('the table has these moves and no others', () => {
  expect(transitionPairs()).toEqual([
    'released>waiting',
    'released>ready',
    'released>fetch',
    'released>memory',
    'waiting>ready',
    'waiting>released',
    'fetch>flight',
    'fetch>memory',
    'fetch>released',
    'flight>memory',
    'flight>fetch',
    'flight>released',
    'ready>executing',
    'ready>waiting',
    'ready>released',
    'executing>memory',
    'executing>erred',
    'executing>ready',
    'executing>waiting',
    'executing>released',
    'memory>released',
    'erred>released',
  ]);
});

test('a move that is not in the table is refused with the story of the task', () => {
  const context = new MachineContext({
    ...DEFAULT_LIMITS,
    workerId: asWorkerId('me'),
    slotCount: 1,
    transferBytesMax: false,
    seed: 1,
  });
  context.begin(asStimulusId('put-1'), 5);
  const task = context.tasks.obtain(dataPut('x').key);
  context.move(task, { name: 'memory', nbytes: 1 });

  const attempt = (): void => context.move(task, { name: 'erred', code: 'TASK_FAILED' });

  expect(attempt).toThrow(InvalidTransitionError);
  expect(attempt).toThrow(/x on worker me was to move memory>erred[\s\S]*5 x: released > memory \(put-1\)/);
  expect(task.state.name).toBe('memory');
  context.move(task, RELEASED);
  expect(task.state.name).toBe('released');
});
