import { abortable, onAbort } from './abort-listeners.js';

test('any number of waits listen to one signal, with one listener of its own', () => {
  const { signal } = new AbortController();
  const add = jest.spyOn(signal, 'addEventListener');
  const stops = Array.from({ length: 50_000 }, () => onAbort(signal, () => undefined));
  stops.forEach((stop) => stop());
  onAbort(signal, () => undefined);
  expect(add).toHaveBeenCalledTimes(1);
});

test('each listens for itself, also when a function is the same', () => {
  const controller = new AbortController();
  let count = 0;
  const call = (): void => void (count += 1);
  onAbort(controller.signal, call);
  const stop = onAbort(controller.signal, call);
  stop();
  controller.abort();
  expect(count).toBe(1);
});

test('one that leaves while others are called is still called once, and none twice', () => {
  const controller = new AbortController();
  const calls: string[] = [];
  onAbort(controller.signal, () => calls.push('first'));
  onAbort(controller.signal, () => calls.push('second'));
  controller.abort();
  controller.abort();
  expect(calls).toEqual(['first', 'second']);
});

test('abortable rejects with the reason as it is', async () => {
  const controller = new AbortController();
  const never = abortable(controller.signal, new Promise(() => undefined));
  controller.abort('because');
  await expect(never).rejects.toBe('because');
  await expect(abortable(controller.signal, Promise.resolve(1))).rejects.toBe('because');
  await expect(abortable(undefined, Promise.resolve(1))).resolves.toBe(1);
});
