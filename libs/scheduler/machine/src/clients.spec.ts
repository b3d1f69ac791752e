import { aScheduler, aTask, toClient, toWorker, type TestScheduler } from './testing/index.js';

function cluster(options: Parameters<typeof aScheduler>[0] = {}): TestScheduler {
  const scheduler = aScheduler({ clientLeaseMs: 1_000, ...options });
  scheduler.connect('c');
  scheduler.register('w', { nthreads: 2 });
  return scheduler;
}

test('a result is kept while any client wants it, and freed everywhere when the last one lets go', () => {
  const scheduler = cluster();
  scheduler.connect('d');
  scheduler.submit('c', [aTask('x')]);
  scheduler.finish('x');
  scheduler.register('w2');
  scheduler.addReplica('w2', 'x');
  expect(toClient(scheduler.desire('d', 'x'), 'd')).toMatchObject([{ type: 'key-in-memory', key: 'x' }]);

  expect(scheduler.release('c', 'x')).toEqual([]);
  const freed = scheduler.release('d', 'x');

  for (const worker of ['w', 'w2']) {
    expect(toWorker(freed, worker)).toMatchObject([{ type: 'free-keys', keys: ['x'] }]);
  }
  expect(scheduler.stateOf('x')).toBe('forgotten');
});

test('a client that desires a key nobody knows is told so', () => {
  expect(toClient(cluster().desire('c', 'nothing'), 'c')).toMatchObject([
    { type: 'key-cancelled', key: 'nothing' },
  ]);
});

test('a client that vanishes has a lease; within it, it comes back to what it had, and hears what it missed', () => {
  const scheduler = cluster();
  scheduler.submit('c', [aTask('x'), aTask('bad')]);
  scheduler.disconnect('c');
  scheduler.finish('x');
  scheduler.err('bad');
  expect(scheduler.machine.nextWakeMs).toBe(1_000);
  scheduler.tick(999);

  const told = toClient(scheduler.connect('c'), 'c');

  expect(told.map((each) => each.type)).toEqual(['key-in-memory', 'key-erred']);
  expect(scheduler.machine.nextWakeMs).toBeUndefined();
  scheduler.tick(5_000);
  expect(scheduler.stateOf('x')).toBe('memory');
});

test('when the lease is over everything the client held is released, and the session forgotten', () => {
  const scheduler = cluster();
  scheduler.submit('c', [aTask('x'), aTask('y')]);
  scheduler.finish('x');
  scheduler.disconnect('c');

  const instructions = scheduler.tick(1_000);

  expect(instructions.filter((each) => each.type === 'forget-client')).toMatchObject([{ clientId: 'c' }]);
  expect(toWorker(instructions, 'w').map((each) => each.type)).toEqual(['free-keys', 'cancel-task']);
  expect(scheduler.machine.knowsClient('c' as never)).toBe(false);
  expect(scheduler.machine.countsByState).toMatchObject({ memory: 0, processing: 0, forgotten: 2 });
});

test('a client that says good-bye is forgotten at once; what others want stays', () => {
  const scheduler = cluster();
  scheduler.connect('d');
  scheduler.submit('c', [aTask('x'), aTask('y')]);
  scheduler.desire('d', 'y');
  scheduler.close('c');

  expect([scheduler.stateOf('x'), scheduler.stateOf('y')]).toEqual(['forgotten', 'processing']);
  expect(scheduler.disconnect('c')).toEqual([]);
});

test('a lease of very many keys is released in slices', () => {
  const scheduler = cluster({ commitStepsMax: 10 });
  scheduler.submit(
    'c',
    Array.from({ length: 25 }, (_, index) => aTask(`t${index}`)),
  );
  while (scheduler.machine.nextWakeMs === 0) scheduler.tick();
  scheduler.close('c');
  expect(scheduler.machine.countsByState.forgotten).toBe(10);
  expect(scheduler.machine.nextWakeMs).toBe(0);

  scheduler.tick();
  scheduler.tick();

  expect(scheduler.machine.countsByState.forgotten).toBe(25);
});

test('a client that comes with the id of one whose keys are still being released is another client', () => {
  const scheduler = cluster({ commitStepsMax: 1 });
  scheduler.submit('c', [aTask('x')]);
  while (scheduler.machine.nextWakeMs === 0) scheduler.tick();
  scheduler.submit('c', [aTask('y')]);
  scheduler.close('c');
  scheduler.connect('c');
  scheduler.submit('c', [aTask('z')]);
  while (scheduler.machine.nextWakeMs === 0) scheduler.tick();

  expect(scheduler.machine.wantsOf('c' as never)).toEqual(['z']);
  expect([scheduler.stateOf('x'), scheduler.stateOf('y')]).toEqual(['forgotten', 'forgotten']);
});

test('what a client says while its graph is being committed is done afterwards, in order', () => {
  const scheduler = cluster({ commitStepsMax: 2 });
  scheduler.submit('c', [aTask('x'), aTask('y')]);
  scheduler.submit('c', [aTask('z', { dependencies: ['x'] })], ['z']);
  scheduler.release('c', 'x', 'y');
  while (scheduler.machine.nextWakeMs === 0) scheduler.tick();

  expect(scheduler.machine.wantsOf('c' as never)).toEqual(['z']);
  expect([scheduler.stateOf('x'), scheduler.stateOf('y')]).toEqual(['processing', 'forgotten']);
});
