import { setImmediate } from 'node:timers/promises';
import { asTaskKey } from '@spillway/kernel';
import { Door } from '@spillway/testkit';
import { OperationQueue } from './operation-queue.js';

test('operations of one key come one after the other, whatever others do meanwhile', async () => {
  const queue = new OperationQueue(2);
  const order: string[] = [];
  const door = new Door();
  const operation = (name: string) => async (): Promise<void> => {
    order.push(name);
    await door.pass();
  };
  const last = [
    queue.run(asTaskKey('a'), operation('a1')),
    queue.run(asTaskKey('a'), operation('a2')),
    queue.run(asTaskKey('b'), operation('b1')),
    queue.run(asTaskKey('c'), operation('c1')),
  ];
  await door.arrived(2);
  expect(order).toEqual(['a1', 'b1']);
  door.letOneThrough();
  await door.arrived(3);
  expect(order).toEqual(['a1', 'b1', 'c1']);
  door.open();
  await Promise.all(last);
  expect(order).toEqual(['a1', 'b1', 'c1', 'a2']);
});

test('it is idle once everything has ended, what was added meanwhile too', async () => {
  const queue = new OperationQueue(1);
  await queue.idle();
  let isSecondDone = false;
  void queue.run(asTaskKey('a'), async () => {
    await setImmediate();
    void queue.run(asTaskKey('a'), async () => {
      await setImmediate();
      isSecondDone = true;
    });
  });
  await queue.idle();
  expect(isSecondDone).toBe(true);
});
