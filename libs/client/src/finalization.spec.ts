/** Handles that the application just forgets (conventions J07): a backstop, tested with a collection that is asked for. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { preinstalled } from './remote-function.js';
import { aClient, turns, type ClientRig } from './testing/client-rig.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const make = preinstalled<(n: number) => number>('m', 'make');

/** Collections and turns until it holds; a test that waits in vain runs into jest's own limit. */
async function collectUntil(isReached: () => boolean): Promise<void> {
  while (!isReached()) {
    await turns(2);
    collect();
  }
}

const released = ({ cluster }: ClientRig): string[] =>
  cluster.allSaid('client-releases-keys').flatMap(({ keys }) => [...keys]);

test('a forgotten handle is released', async () => {
  const rig = aClient();
  const key = (() => rig.client.submit(make, 1).key)();
  await turns();
  await collectUntil(() => released(rig).length > 0);
  expect(released(rig)).toEqual([key]);
});

test('a handle whose result someone waits for is kept, though nobody else has it', async () => {
  const rig = aClient();
  const result = rig.client.submit(make, 1).result();
  const forgotten = (() => rig.client.submit(make, 2).key)();
  await turns();
  await collectUntil(() => released(rig).length > 0);
  expect(released(rig)).toEqual([forgotten]);
  rig.cluster.finishInline(rig.cluster.tasks[0]!.key, 7);
  await expect(result).resolves.toBe(7);
});

test('a handle that was released by hand is not released again', async () => {
  const rig = aClient();
  const key = (() => {
    const future = rig.client.submit(make, 1);
    future.release();
    return future.key;
  })();
  const forgotten = (() => rig.client.submit(make, 2).key)();
  await turns();
  await collectUntil(() => released(rig).includes(forgotten));
  expect(released(rig).filter((one) => one === key)).toHaveLength(1);
});
