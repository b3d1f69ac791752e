import { EventQueue } from './event-queue.js';

test('what comes up while an event is performed waits until that is done', () => {
  const done: string[] = [];
  const queue: EventQueue<string> = new EventQueue((event) => {
    done.push(`${event} begins`);
    if (event === 'a') for (const next of ['b', 'c']) queue.push(next);
    done.push(`${event} ends`);
  });

  queue.push('a');
  queue.push('d');

  expect(done).toEqual([
    'a begins',
    'a ends',
    'b begins',
    'b ends',
    'c begins',
    'c ends',
    'd begins',
    'd ends',
  ]);
});

test('a bug in one event does not keep later ones from being taken', () => {
  const done: string[] = [];
  const queue = new EventQueue<string>((event) => {
    if (event === 'broken') throw new Error('a bug');
    done.push(event);
  });

  expect(() => queue.push('broken')).toThrow('a bug');
  queue.push('next');

  expect(done).toEqual(['next']);
});
