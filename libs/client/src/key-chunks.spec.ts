import { asTaskKey } from '@spillway/kernel';
import { preinstalled } from './remote-function.js';
import { aClient, turns } from './testing/client-rig.js';

const make = preinstalled<(n: number) => number>('m', 'make');

describe('what is said of very many keys', () => {
  const KEYS_MAX = 10_000;

  test('is said in parts: releasing, cancelling, retrying', async () => {
    const { client, cluster } = aClient();
    const futures = client.map(make, Array(KEYS_MAX + 1).fill(1) as number[]);
    while (cluster.graphs.length === 0) await turns(1);
    const error = { code: 'TASK_FAILED', message: 'boom', details: {} };
    for (const { key } of futures) cluster.tell({ type: 'key-erred', key: asTaskKey(key), error });
    client.retry(futures);
    client.cancel(futures);
    client.release(futures);
    await turns();
    for (const type of ['retry-keys', 'cancel-keys', 'client-releases-keys'] as const) {
      const said = cluster.allSaid(type);
      expect(said.map(({ keys }) => keys.length)).toEqual([KEYS_MAX, 1]);
      expect(said.flatMap(({ keys }) => keys)).toEqual(futures.map(({ key }) => key));
    }
  });

  test('is said in more parts when the keys are long', async () => {
    const { client, cluster } = aClient();
    const long = (index: number): string => `${index}`.padStart(1024, 'ä');
    const futures = Array.from({ length: 2000 }, (_, index) =>
      client.with({ key: long(index) }).submit(make, index),
    );
    while (cluster.graphs.length < 2000) await turns(1);
    client.release(futures);
    await turns();
    const said = cluster.allSaid('client-releases-keys');
    expect(said.length).toBeGreaterThan(3);
    for (const { keys } of said) expect(Buffer.byteLength(keys.join(''))).toBeLessThan(1024 * 1024);
    expect(said.flatMap(({ keys }) => keys)).toEqual(futures.map(({ key }) => key));
  });
});
