import { DeadlineExceededError, InvalidArgumentError } from '@spillway/kernel';
import { aHolder } from './testing/fake-cluster.js';
import { aClient, turns } from './testing/client-rig.js';

describe('waiting for workers', () => {
  test('ends when so many run, and gives those', async () => {
    const { client, cluster, timers } = aClient();
    const waiting = client.waitForWorkers(2);
    await turns();
    cluster.workers = [aHolder('w1'), aHolder('w2'), aHolder('w3')];
    cluster.statuses.set('w2', 'paused');
    timers.advance(100);
    const workers = await waiting;
    expect(workers.map(({ workerId }) => workerId)).toEqual(['w1', 'w3']);
    await expect(client.waitForWorkers(0)).resolves.toHaveLength(2);
  });

  test('ends with the timeout or the signal, and then asks no more', async () => {
    const { client, timers } = aClient();
    const waiting = client.waitForWorkers(2, { timeout: 1000 });
    const rejects = expect(waiting).rejects.toThrow(DeadlineExceededError);
    await turns();
    timers.advance(1000);
    await rejects;

    const abort = new AbortController();
    const aborted = client.waitForWorkers(2, { signal: abort.signal });
    await turns();
    abort.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    await turns();
    expect(timers.pendingCount).toBe(0);
  });

  test.each([-1, 1.5, Number.NaN])('%p is no number of workers', async (count) => {
    const { client } = aClient();
    await expect(client.waitForWorkers(count)).rejects.toThrow(InvalidArgumentError);
  });
});
