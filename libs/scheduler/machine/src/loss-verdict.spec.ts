import { aTask, aVerdict, TestScheduler, toClient } from './testing/index.js';

function withWorker(allowedFailures = 0): TestScheduler {
  const scheduler = new TestScheduler({ allowedFailures });
  scheduler.connect('c');
  scheduler.nannyRegistered('n');
  scheduler.register('w1', { nannyId: 'n', memoryLimitBytes: 2 ** 30, terminateFraction: 0.95, nthreads: 2 });
  return scheduler;
}

const errorOf = (instructions: ReturnType<TestScheduler['lose']>) =>
  toClient(instructions, 'c').flatMap((message) => (message.type === 'key-erred' ? [message.error] : []))[0];

test('the scheduler tells what heartbeats said: memory, limits, and what was executing with its peak', () => {
  const scheduler = withWorker();
  scheduler.submit('c', [aTask('x'), aTask('y')]);
  scheduler.heartbeat('w1', { x: 800 }, { processBytes: 400 * 2 ** 20 });
  scheduler.nowMs += 1000;
  scheduler.heartbeat('w1', { x: 1800, y: 5 }, { processBytes: 900 * 2 ** 20 }, { x: 500 * 2 ** 20 });
  scheduler.nowMs += 250;

  expect(errorOf(scheduler.lose('w1'))).toMatchObject({
    code: 'KILLED_WORKER',
    details: {
      cause: 'unreachable',
      causes: 'unreachable',
      lastMemory: '400 MiB 1250 ms before, 900 MiB 250 ms before',
      limit: '1 GiB',
      terminate: '973 MiB',
      executing: 'x for 1800 ms (+500 MiB), y for 5 ms',
      nextStep: expect.stringContaining('nanny.worker-ttl') as string,
    },
  });
});

test('of many heartbeats the last 20 are told', () => {
  const scheduler = withWorker();
  scheduler.submit('c', [aTask('x')]);
  for (let beat = 1; beat <= 30; beat += 1)
    scheduler.heartbeat('w1', { x: 1 }, { processBytes: beat * 2 ** 20 });

  const told = errorOf(scheduler.lose('w1'))?.details['lastMemory']?.split(', ') ?? [];

  expect(told).toHaveLength(20);
  expect(told[0]).toMatch(/^11 MiB/);
  expect(told.at(-1)).toMatch(/^30 MiB/);
});

test('a nanny that comes back with what it knows corrects what the scheduler had made of it', () => {
  const scheduler = withWorker(1);
  scheduler.submit('c', [aTask('x')]);
  scheduler.nannyEvent('nanny-disconnected', 'n');
  scheduler.lose('w1');
  scheduler.nannyEvent('nanny-resumed', 'n');
  scheduler.lose('w1', { verdict: aVerdict('w1', 'Worker w1 hung') });
  scheduler.register('w2', { nannyId: 'n' });

  const error = errorOf(scheduler.lose('w2'));

  expect(error?.details['verdicts']).toMatch(
    /^w1: Worker w1 hung\nw2: Worker w2 could not be reached any more/,
  );
});
