import type { Priority } from '@spillway/messages';
import { ReadyQueue } from './ready-queue.js';
import { RELEASED, type Run, type WorkerTask } from './task.js';
import { computeTask } from './testing/index.js';

class Fixture {
  readonly queue = new ReadyQueue();
  readonly ready = new Set<WorkerTask>();
  #order = 0;

  add(key: string, priority: Priority = [0, 0, 0]): Run {
    const message = computeTask(key, { priority });
    const task: WorkerTask = {
      key: message.spec.key,
      state: RELEASED,
      neededBy: undefined,
      lingering: undefined,
    };
    const run: Run = { task, message, order: this.#order++ };
    task.state = { name: 'ready', run };
    this.ready.add(task);
    this.queue.push(run, this.ready);
    return run;
  }

  drain(): string[] {
    const keys: string[] = [];
    for (let run = this.queue.peek(); run !== undefined; run = this.queue.peek()) {
      keys.push(run.task.key);
      this.queue.pop();
    }
    return keys;
  }
}

test('the best priority comes first, compared from left to right', () => {
  const fixture = new Fixture();
  fixture.add('third', [0, 2, 0]);
  fixture.add('fourth', [1, 0, 0]);
  fixture.add('second', [0, 1, 5]);
  fixture.add('first', [0, 1, 4]);

  expect(fixture.drain()).toEqual(['first', 'second', 'third', 'fourth']);
});

test('equal priorities: first come, first served', () => {
  const fixture = new Fixture();
  const keys = Array.from({ length: 20 }, (_, index) => `task-${index}`);
  for (const key of keys) fixture.add(key);

  expect(fixture.drain()).toEqual(keys);
});

test('a run that is not ready any more is passed over', () => {
  const fixture = new Fixture();
  const gone = fixture.add('gone');
  fixture.add('there');
  gone.task.state = RELEASED;

  expect(fixture.drain()).toEqual(['there']);
});

test('a run whose older attempt still runs is passed over', () => {
  const fixture = new Fixture();
  const held = fixture.add('held');
  held.task.lingering = { run: held, slot: 0, headSinceMs: 0, stopping: { reason: 'cancelled' } };

  expect(fixture.queue.peek()).toBeUndefined();
});

test('runs that are gone do not pile up', () => {
  const fixture = new Fixture();
  for (let index = 0; index < 10_000; index++) {
    const run = fixture.add(`task-${index}`);
    run.task.state = RELEASED;
    fixture.ready.delete(run.task);
  }

  expect(fixture.queue.entryCount).toBeLessThan(200);
});
