import { asClientId, asSubmissionId, asTaskKey, InvalidGraphError } from '@spillway/kernel';
import { remoteError } from '@spillway/messages';
import { KeyWaiters } from './key-waiters.js';
import { SubmissionWaiters } from './submission-waiters.js';

const [alice, bob] = [asClientId('alice'), asClientId('bob')];
const x = asTaskKey('x');
const inMemory = { type: 'key-in-memory', key: x, nbytes: 1, holders: [] } as const;

describe('callers that wait for a key', () => {
  test('hear its end, each of them, and only of their own client', async () => {
    const waiters = new KeyWaiters();
    const { signal } = new AbortController();
    const both = [waiters.wait(alice, x, signal), waiters.wait(alice, x, signal)];
    let bobHeard = false;
    void waiters.wait(bob, x, signal).then(() => (bobHeard = true));
    waiters.notify(alice, { type: 'key-lost', key: x });
    waiters.notify(alice, inMemory);
    expect(await Promise.all(both)).toEqual([
      { key: x, state: 'memory' },
      { key: x, state: 'memory' },
    ]);
    expect(bobHeard).toBe(false);
  });

  test('hear of errors and cancellation as outcomes', async () => {
    const waiters = new KeyWaiters();
    const { signal } = new AbortController();
    const error = remoteError('TASK_FAILED', 'no');
    const erred = waiters.wait(alice, x, signal);
    waiters.notify(alice, { type: 'key-erred', key: x, error });
    expect(await erred).toEqual({ key: x, state: 'erred', error });
    const cancelled = waiters.wait(alice, x, signal);
    waiters.notify(alice, { type: 'key-cancelled', key: x, reason: 'r' });
    expect(await cancelled).toEqual({ key: x, state: 'forgotten' });
  });

  test('stop waiting when their call is aborted', async () => {
    const waiters = new KeyWaiters();
    const abort = new AbortController();
    const waiting = waiters.wait(alice, x, abort.signal);
    abort.abort();
    await expect(waiting).rejects.toThrow('cancelled');
    await expect(waiters.wait(alice, x, abort.signal)).rejects.toThrow('cancelled');
  });
});

test('a submission is answered once, with its typed error when it is refused', async () => {
  const waiters = new SubmissionWaiters();
  const [s1, s2] = [asSubmissionId('s1'), asSubmissionId('s2')];
  const accepted = waiters.wait(alice, s1);
  const refused = waiters.wait(alice, s2);
  waiters.notify(alice, { type: 'graph-accepted', submissionId: s1 });
  waiters.notify(alice, {
    type: 'graph-refused',
    submissionId: s2,
    error: remoteError('INVALID_GRAPH', 'a cycle'),
  });
  await accepted;
  await expect(refused).rejects.toBeInstanceOf(InvalidGraphError);
});
