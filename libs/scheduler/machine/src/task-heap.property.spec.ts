import fc from 'fast-check';
import { asTaskKey } from '@spillway/kernel';
import { TaskHeap } from './task-heap.js';
import { comparePriority, QUEUED_ANYWHERE, RELEASED, SchedulerTask } from './task.js';
import { aTask } from './testing/index.js';

function queued(priority: number, order: number): SchedulerTask {
  const key = `${priority}:${order}`;
  const task = new SchedulerTask(asTaskKey(key), aTask(key, { priority }), undefined, 1, order);
  task.state = QUEUED_ANYWHERE;
  return task;
}

test('whatever is pushed and however tasks leave the queue, the live task of best priority is on top', () => {
  const steps = fc.array(fc.tuple(fc.nat(3), fc.nat(50), fc.nat(2)), { maxLength: 300 });
  fc.assert(
    fc.property(steps, (pushes) => {
      const heap = new TaskHeap();
      const live: SchedulerTask[] = [];
      for (const [priority, order, takes] of pushes) {
        const task = queued(priority, order);
        heap.push(task);
        live.push(task);
        live.sort(comparePriority);
        for (let taken = 0; taken < takes; taken += 1) {
          // One from the top, one from anywhere: as a worker that takes it through another heap does.
          const gone = live.splice(taken === 0 ? 0 : order % Math.max(1, live.length), 1)[0];
          if (gone !== undefined) gone.state = RELEASED;
        }
        const top = heap.peek();
        expect(top === undefined ? undefined : comparePriority(top, live[0]!)).toBe(
          live.length === 0 ? undefined : 0,
        );
      }
      expect([...heap.live()].sort(comparePriority)).toEqual(live);
      heap.clear();
      expect(heap.peek()).toBeUndefined();
    }),
    { numRuns: 300 },
  );
});
