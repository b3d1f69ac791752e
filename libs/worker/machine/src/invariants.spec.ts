import { asStimulusId, asTaskKey, asWorkerId, must } from '@spillway/kernel';
import { onComputeTask } from './assignments.js';
import { MachineContext } from './context.js';
import { startReadyTasks } from './executions.js';
import { checkAll } from './invariants.js';
import { DEFAULT_LIMITS } from './options.js';
import { startGathers } from './replicas.js';
import type { WorkerTask } from './task.js';
import { aDependency, computeTask } from './testing/index.js';

/** One task of each kind: `run` executes, `wait` waits for `flying` (in flight), `asked` (no holder) and `held` (fetch). */
function aContext(): MachineContext {
  const context = new MachineContext({
    ...DEFAULT_LIMITS,
    workerId: asWorkerId('me'),
    slotCount: 1,
    transferBytesMax: 15,
    seed: 1,
  });
  context.begin(asStimulusId('s'), 0);
  onComputeTask(context, computeTask('run'));
  const dependencies = [aDependency('flying', ['p']), aDependency('asked'), aDependency('held', ['q'])];
  onComputeTask(context, computeTask('wait', { dependencies }));
  onComputeTask(context, computeTask('ready'));
  startReadyTasks(context);
  startGathers(context);
  return context;
}

const taskOf = (context: MachineContext, key: string): WorkerTask =>
  must(
    [...context.tasks.all()].find((task) => task.key === key),
    key,
  );

test('a sound machine is found sound', () => {
  expect(checkAll(aContext())).toBeUndefined();
});

test.each<[string, (context: MachineContext) => void, RegExp]>([
  [
    'a wrong count of missing inputs',
    (context) => Object.assign(taskOf(context, 'wait').state, { missingCount: 1 }),
    /wait: waits for 1 inputs, but 3 are missing/,
  ],
  [
    'a value to be announced that is not here',
    (context) => context.puts.add(asTaskKey('run'), 0),
    /run is to be announced and is not in memory/,
  ],
  [
    'an input that does not know who needs it',
    (context) => taskOf(context, 'flying').neededBy?.clear(),
    /wait: takes flying, which does not know/,
  ],
  [
    'a fetch that no peer knows of',
    (context) => [...context.peers.all()].forEach((peer) => peer.wanted.clear()),
    /(held|flying): is not among the wanted keys of a holder/,
  ],
  [
    'a key without a holder that nobody is asked about',
    (context) => context.whoHas.remove(taskOf(context, 'asked')),
    /asked: has holders and is asked about, or has none and is not/,
  ],
  [
    'an attempt that its slot has lost',
    (context) => context.slots.all[0]?.attempts.splice(0),
    /run: has an attempt that is 0 times in slot 0/,
  ],
  [
    'a slot that has lost count',
    (context) => Object.assign(must(context.slots.all[0], 'slot'), { unknownCount: 5 }),
    /Slot 0 has lost count of its work/,
  ],
  [
    'a state changed behind the table',
    (context) => Object.assign(taskOf(context, 'ready'), { state: { name: 'memory', nbytes: 1 } }),
    /ready is not among those in memory/,
  ],
  [
    'a released task that nothing keeps',
    (context) => context.move(taskOf(context, 'ready'), { name: 'released' }),
    /ready: is released but not waiting for an attempt to end/,
  ],
  [
    'freed keys that were kept quiet',
    (context) => context.free('x' as never),
    /Freed keys were not reported/,
  ],
])('finds %s', (_name, breakIt, message) => {
  const context = aContext();

  breakIt(context);

  expect(checkAll(context)?.message).toMatch(message);
});
