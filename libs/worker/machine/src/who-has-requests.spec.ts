import { asTaskKey } from '@spillway/kernel';
import { RELEASED, type WorkerTask } from './task.js';
import { WhoHasRequests } from './who-has-requests.js';

const aTask = (key: string): WorkerTask => ({
  key: asTaskKey(key),
  state: RELEASED,
  neededBy: undefined,
  lingering: undefined,
});
const keysOf = (tasks: readonly WorkerTask[]): string[] => tasks.map(({ key }) => key);

test('a key is asked about at once, and again after each wait', () => {
  const requests = new WhoHasRequests(1000);
  requests.add(aTask('a'));

  expect(requests.nextAskMs).toBe(0);
  expect(keysOf(requests.takeDue(50))).toEqual(['a']);
  expect(requests.nextAskMs).toBe(1050);
  expect(keysOf(requests.takeDue(1049))).toEqual([]);
  expect(keysOf(requests.takeDue(1050))).toEqual(['a']);
  expect(requests.nextAskMs).toBe(2050);
});

test('keys that fall due together are asked about together, the new one with them', () => {
  const requests = new WhoHasRequests(1000);
  const a = aTask('a');
  requests.add(a);
  requests.takeDue(0);
  requests.add(aTask('b'));

  expect(keysOf(requests.takeDue(1000))).toEqual(['b', 'a']);
});

test('an answer without a holder puts the question off by the whole wait', () => {
  const requests = new WhoHasRequests(1000);
  const [a, b] = [aTask('a'), aTask('b')];
  requests.add(a);
  requests.add(b);
  requests.takeDue(0);

  requests.putOff(a, 600);

  expect(keysOf(requests.takeDue(1000))).toEqual(['b']);
  expect(keysOf(requests.takeDue(1600))).toEqual(['a']);
});

test('what is not wanted any more is not asked about', () => {
  const requests = new WhoHasRequests(1000);
  const a = aTask('a');
  requests.add(a);
  requests.remove(a);

  expect(requests.takeDue(0)).toEqual([]);
  expect(requests.nextAskMs).toBeUndefined();
  expect(requests.size).toBe(0);
});
