import { Door } from './doors.js';

async function walk(door: Door, name: string, seen: string[]): Promise<void> {
  await door.pass();
  seen.push(name);
}

test('who comes to a closed door waits until it is opened', async () => {
  const door = new Door();
  const seen: string[] = [];
  const walkers = [walk(door, 'a', seen), walk(door, 'b', seen)];

  await door.arrived(2);
  expect([seen, door.waitingCount]).toEqual([[], 2]);

  door.open();
  await Promise.all([...walkers, walk(door, 'c', seen)]);
  expect(seen).toEqual(['a', 'b', 'c']);
});

test('one can be let through, the first that came', async () => {
  const door = new Door();
  const seen: string[] = [];
  const first = walk(door, 'a', seen);
  const second = walk(door, 'b', seen);

  door.letOneThrough();
  await first;
  expect([seen, door.waitingCount]).toEqual([['a'], 1]);

  door.letOneThrough();
  await second;
  door.letOneThrough();
  expect(door.waitingCount).toBe(0);
});

test('the arrival can be awaited before anybody comes', async () => {
  const door = new Door();
  const arrived = door.arrived();
  void door.pass();
  await arrived;
  expect(door.waitingCount).toBe(1);
  door.open();
  door.close();
  void door.pass();
  expect(door.waitingCount).toBe(1);
});
