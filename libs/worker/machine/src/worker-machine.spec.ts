import { InvariantError, asStimulusId, asTaskKey } from '@spillway/kernel';
import type { WorkerEvent } from './events.js';
import {
  Rehearsal,
  aDependency,
  aWorker,
  because,
  cancelTask,
  computeTask,
  dataPut,
  executeSuccess,
} from './testing/index.js';

test('every instruction repeats the cause of its event', () => {
  const machine = aWorker();
  const cause = asStimulusId('compute-7');

  const instructions = machine.handle(
    because(computeTask('x', { dependencies: [aDependency('a', ['p']), aDependency('b')] }), cause),
    0,
  );

  expect(instructions).toHaveLength(2);
  for (const instruction of instructions) {
    expect('message' in instruction ? instruction.message.stimulusId : instruction.stimulusId).toBe(cause);
  }
});

test('heartbeats hear which task runs in each slot and for how long, not what waits behind it or is being stopped', () => {
  const worker = new Rehearsal(aWorker({ slotCount: 3 }));
  worker.tell(computeTask('stopping'), computeTask('a', { expectedMs: 3 }));
  worker.nowMs = 20;
  worker.tell(computeTask('b', { runId: 4 }), cancelTask('stopping'));
  expect(worker.tell(computeTask('behind', { expectedMs: 1 }))).toEqual([]);

  expect(worker.machine.executing(50)).toEqual([
    { key: 'a', runId: 1, forMs: 50 },
    { key: 'b', runId: 4, forMs: 30 },
  ]);
});

test('counts tell how many tasks are in each state', () => {
  const worker = new Rehearsal(aWorker());
  worker.tell(dataPut('m'), computeTask('x'), computeTask('y'));
  worker.tell(computeTask('z', { dependencies: [aDependency('a', ['p']), aDependency('b')] }));

  expect(worker.machine.countsByState()).toEqual({
    released: 0,
    waiting: 1,
    fetch: 1,
    flight: 1,
    ready: 1,
    executing: 1,
    memory: 1,
    erred: 0,
  });
});

test('a task tells its story with times and causes', () => {
  const machine = aWorker();
  machine.handle(because(computeTask('x'), 'compute'), 5);
  machine.handle(because(executeSuccess('x'), 'success'), 9);

  expect(machine.storyOf(asTaskKey('x'))).toEqual([
    { key: 'x', from: 'released', to: 'ready', stimulusId: 'compute', atMs: 5 },
    { key: 'x', from: 'ready', to: 'executing', stimulusId: 'compute', atMs: 5 },
    { key: 'x', from: 'executing', to: 'memory', stimulusId: 'success', atMs: 9 },
  ]);
});

test('an event of an unknown kind is refused', () => {
  const event = { type: 'no-such-event', stimulusId: 's' } as unknown as WorkerEvent;

  expect(() => aWorker().handle(event, 0)).toThrow(InvariantError);
});

test('nothing under way: nobody has to wake the machine', () => {
  const worker = new Rehearsal(aWorker());
  worker.tell(computeTask('x'), executeSuccess('x'));

  expect(worker.machine.nextWakeMs).toBeUndefined();
});
