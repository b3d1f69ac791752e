import { aScheduler, aTask, toClient, type TestScheduler } from './testing/index.js';

function cluster(): TestScheduler {
  const scheduler = aScheduler({ noWorkersTimeoutMs: 1_000 });
  scheduler.connect('c');
  return scheduler;
}

const codesTold = (instructions: ReturnType<TestScheduler['tick']>): unknown[] =>
  toClient(instructions, 'c').map((each) => (each.type === 'key-erred' ? each.error.code : each.type));

test('a machine with nothing under way wants no tick', () => {
  expect(cluster().machine.nextWakeMs).toBeUndefined();
});

test('a task whose workers do not come gives up when its own time is over', () => {
  const scheduler = cluster();
  scheduler.register('other');
  scheduler.submit('c', [aTask('x', { workers: ['w'] })]);
  scheduler.nowMs = 600;
  scheduler.submit('c', [aTask('y', { workers: ['w'] })]);
  expect(scheduler.machine.nextWakeMs).toBe(1_000);

  expect(codesTold(scheduler.tick(1_000))).toEqual(['NO_VALID_WORKER']);
  expect([scheduler.stateOf('x'), scheduler.stateOf('y')]).toEqual(['erred', 'no-worker']);
  expect(scheduler.machine.nextWakeMs).toBe(1_600);
});

test('a paused worker is there: tasks wait for it to go on', () => {
  const scheduler = cluster();
  scheduler.register('w');
  scheduler.setStatus('w', 'paused');
  scheduler.submit('c', [aTask('x', { workers: ['w'] })]);

  expect(codesTold(scheduler.tick(1_000))).toEqual([]);
  expect(scheduler.machine.nextWakeMs).toBe(2_000);
});

test('in a cluster without any worker queued tasks give up too, counted from when there was neither worker nor task', () => {
  const scheduler = cluster();
  scheduler.tick(10_000);
  scheduler.submit('c', [aTask('x')]);
  expect(scheduler.machine.nextWakeMs).toBe(11_000);
  scheduler.register('w');
  expect(scheduler.machine.nextWakeMs).toBeUndefined();

  scheduler.lose('w', { onPurpose: true });
  expect(codesTold(scheduler.tick(11_000))).toEqual(['NO_VALID_WORKER']);
});

test('without the setting, tasks wait for ever', () => {
  const scheduler = aScheduler();
  scheduler.connect('c');
  scheduler.submit('c', [aTask('x'), aTask('y', { workers: ['w'] })]);

  expect(scheduler.machine.nextWakeMs).toBeUndefined();
  scheduler.tick(1e9);
  expect([scheduler.stateOf('x'), scheduler.stateOf('y')]).toEqual(['queued', 'no-worker']);
});
