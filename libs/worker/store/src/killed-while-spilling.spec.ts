/** A real process with a real spill thread, killed at some moment: what its successor adopts. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { bundleThreadEntry, TempFolder } from '@spillway/testkit';
import type { Payload } from '@spillway/messages';
import { LeftFolder } from './testing/left-folder.js';
import { keyOf, noise, SPILL_THREAD_ENTRY } from './testing/spill-rig.js';

/** Does what it is told, one thing after another, and says when each is done: spilled, or freed and noted. */
const CHILD = `
  import { SpillThread, TwoTierStore } from '@spillway/worker-store';
  import { keyOf, noise } from './testing/spill-rig.js';
  const [folder, entry] = process.argv.slice(2);
  const disk = new SpillThread({ entry: new URL(entry), folder, compression: false });
  const store = new TwoTierStore({ disk, maxSpillBytes: false, leavesValues: true, onLost: () => undefined });
  store.put(keyOf('first'), noise(10));
  await store.evict([keyOf('first')]);
  process.on('message', async ({ spill, free }) => {
    for (const { key, bytes, seed } of spill) store.put(keyOf(key), noise(bytes, seed));
    await store.evict(spill.map(({ key }) => keyOf(key)));
    for (const key of free) store.free(keyOf(key));
    await Promise.resolve();
    await store.load(keyOf('first'));
    await store.evict([keyOf('first')]);
    process.send('done');
  });
  process.send('ready');`;

interface Spilled {
  readonly key: number;
  readonly bytes: number;
  readonly seed: number;
}

interface Step {
  readonly spill: readonly Spilled[];
  readonly free: readonly number[];
}

const KEY_COUNT = 30;
const SIZES = [0, 100, 5_000, 70_000, 1_500_000];

/** Keys are spilled and freed in turns. `killedAfterTurns`: event loop turns of this process after the last was asked. */
const LIFE = fc.record({
  steps: fc.array(
    fc.uniqueArray(fc.record({ key: fc.nat(KEY_COUNT), bytes: fc.constantFrom(...SIZES) }), {
      selector: ({ key }) => key,
      minLength: 1,
      maxLength: 20,
    }),
    { minLength: 1, maxLength: 12 },
  ),
  killedAfterTurns: fc.nat(300),
});

/** What is held is freed, what is not is spilled, each time with another content. */
function stepsOf(choices: readonly (readonly { key: number; bytes: number }[])[]): Step[] {
  const held = new Set<number>();
  let seed = 1;
  return choices.map((keys) => {
    const free = keys.map(({ key }) => key).filter((key) => held.has(key));
    const spill = keys.filter(({ key }) => !held.has(key)).map((chosen) => ({ ...chosen, seed: seed++ }));
    for (const key of free) held.delete(key);
    for (const { key } of spill) held.add(key);
    return { spill, free };
  });
}

function apply(held: ReadonlyMap<number, Spilled>, { spill, free }: Step): Map<number, Spilled> {
  const after = new Map(held);
  for (const each of spill) after.set(each.key, each);
  for (const key of free) after.delete(key);
  return after;
}

async function start(folder: string): Promise<ChildProcess> {
  const [program, entry] = await Promise.all(
    [CHILD, SPILL_THREAD_ENTRY].map((source) => bundleThreadEntry(source, __dirname)),
  );
  const child = fork(fileURLToPath(program!), [folder, entry!.href]);
  await once(child, 'message');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

const isSame = (found: Payload | undefined, { bytes, seed }: Spilled): boolean =>
  found !== undefined && Buffer.compare(found.data, noise(bytes, seed).data) === 0;

async function live(steps: readonly Step[], killedAfterTurns: number): Promise<void> {
  await using temp = await TempFolder.create();
  const child = await start(temp.path);
  let before = new Map<number, Spilled>();
  for (const step of steps.slice(0, -1)) {
    child.send(step);
    await once(child, 'message');
    before = apply(before, step);
  }
  const last = steps.at(-1)!;
  child.send(last);
  for (let turn = 0; turn < killedAfterTurns; turn++) await setImmediate();
  await kill(child);
  const after = apply(before, last);

  await using left = await LeftFolder.copyOf(temp.path);
  const store = await left.adopt();
  for (let key = 0; key <= KEY_COUNT; key++) {
    const found = await store.load(keyOf(key));
    const [was, is] = [before.get(key), after.get(key)];
    if (found === undefined) expect([key, was !== undefined && is !== undefined]).toEqual([key, false]);
    else
      expect([key, [was, is].some((value) => value !== undefined && isSame(found, value))]).toEqual([
        key,
        true,
      ]);
  }
  expect(left.lost).toEqual([]);
}

test('all that was spilled before it was killed is adopted as it was, and nothing that was freed before', async () => {
  await fc.assert(
    fc.asyncProperty(LIFE, ({ steps, killedAfterTurns }) => live(stepsOf(steps), killedAfterTurns)),
    { numRuns: 8 },
  );
}, 120_000);
