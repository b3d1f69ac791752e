import { setFlagsFromString } from 'node:v8';
/** The main path: what is handed over is run, in order, and answered once. */
import { must } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import type { ExecutionOutcome } from '@spillway/ports';
import { decodeValue, encodeValue } from '@spillway/values';
import { types } from 'node:util';
import { closeRigs, Gate, HOLD, inputsAsArguments, Rig } from './testing/executor-rig.js';

afterEach(closeRigs);

function valueOf(outcome: ExecutionOutcome): unknown {
  if (outcome.type === 'execute-success') return decodeValue(outcome.result);
  throw new Error(`expected a result, not ${JSON.stringify(outcome)}`);
}

test('a task gets its arguments and its result comes back encoded, with the time it took', async () => {
  const rig = await Rig.start();

  const outcome = await rig.run('(a, b) => ({ sum: a + b })', { args: [2, 3] });

  expect(outcome).toMatchObject({ type: 'execute-success', slot: 0, key: 'task-1', runId: 1 });
  const { result, durationMs } = outcome as Extract<typeof outcome, { type: 'execute-success' }>;
  expect(decodeValue(result)).toEqual({ sum: 5 });
  expect(durationMs).toBeGreaterThanOrEqual(0);
});

test('2,000 trivial tasks through 2 slots are all answered, once and correctly', async () => {
  const rig = await Rig.start({ slotCount: 2 });
  const increment = rig.upload('exports.run = (x) => x + 1;');

  const outcomes = await Promise.all(
    Array.from({ length: 2000 }, (_, x) => rig.run(increment, { slot: x % 2, args: [x] })),
  );

  expect(outcomes.map(valueOf)).toEqual(Array.from({ length: 2000 }, (_, x) => x + 1));
  expect(rig.outcomes).toHaveLength(2000);
  expect(rig.fetched).toHaveLength(1);
});

test('outcomes of short tasks are delivered many at a time', async () => {
  const rig = await Rig.start();
  const increment = rig.upload('exports.run = (x) => x + 1;');
  await rig.run(increment, { args: [0] });
  rig.deliveries.length = 0;

  await Promise.all(Array.from({ length: 500 }, (_, x) => rig.run(increment, { args: [x] })));

  expect(rig.deliveries.reduce((sum, count) => sum + count, 0)).toBe(500);
  expect(rig.deliveries.length).toBeLessThan(250);
});

test('more tasks than a thread may hold at once still all run, in order', async () => {
  const rig = await Rig.start();
  const numbered = rig.upload('let count = 0; exports.run = () => count++;');

  const values = await Promise.all(Array.from({ length: 9000 }, () => rig.value(numbered)));

  expect(values).toEqual(Array.from({ length: 9000 }, (_, index) => index));
});

test('a slot runs one task at a time, in the order given, also when they are asynchronous', async () => {
  const rig = await Rig.start();
  const traced = rig.upload(`
    let running = 0;
    const seen = [];
    exports.run = async (name) => {
      running += 1;
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(name + ':' + running);
      running -= 1;
      return [...seen];
    };`);

  const values = await Promise.all(['a', 'b', 'c'].map((name) => rig.value(traced, { args: [name] })));

  expect(values[2]).toEqual(['a:1', 'b:1', 'c:1']);
});

test('slots run beside each other', async () => {
  const rig = await Rig.start({ slotCount: 2 });
  const gate = new Gate();
  const held = rig.hand(HOLD, { slot: 0, inputs: [gate.payload], args: inputsAsArguments(1) });
  await gate.reached();

  await expect(rig.value('() => 7', { slot: 1 })).resolves.toBe(7);

  gate.open();
  await expect(held.outcome).resolves.toMatchObject({ type: 'execute-success' });
});

test('inputs take the place of the dependencies in the arguments', async () => {
  const rig = await Rig.start();
  const inputs = [encodeValue({ name: 'first' }), encodeValue([1, 2, 3])];

  const value = await rig.value('(first, list) => first.name + list.length', {
    inputs,
    args: inputsAsArguments(2),
  });

  expect(value).toBe('first3');
});

test('a large input is read where it lies, not copied into the thread', async () => {
  const rig = await Rig.start();
  const gate = new Gate();
  const input = encodeValue(new Float64Array(100_000).fill(0.5), { shared: true });
  const held = rig.hand(
    `(gate, numbers) => {
      const cell = new Int32Array(gate.buffer, gate.byteOffset, 1);
      Atomics.store(cell, 0, 1);
      Atomics.wait(cell, 0, 1);
      return [numbers.buffer instanceof SharedArrayBuffer, numbers[99_999]];
    }`,
    { inputs: [gate.payload, input], args: inputsAsArguments(2) },
  );
  await gate.reached();
  // Only a reader of the very same memory can see what is written after the hand-over.
  (decodeValue(input) as Float64Array)[99_999] = 0.25;
  gate.open();

  expect(valueOf(await held.outcome)).toEqual([true, 0.25]);
});

test('a large ordinary input, and a small view of a big buffer, arrive whole', async () => {
  const rig = await Rig.start();
  const big = new Uint8Array(1024 * 1024).fill(7);
  const inputs = [
    { encoding: 'bytes' as const, data: big.subarray(100, 300_100) },
    { encoding: 'bytes' as const, data: big.subarray(5, 8) },
  ];

  const value = await rig.value('(a, b) => [a.length, a.every((x) => x === 7), [...b]]', {
    inputs,
    args: inputsAsArguments(2),
  });

  expect(value).toEqual([300_000, true, [7, 7, 7]]);
});

test('a large result is in a shared buffer, a small one in ordinary memory, each in a buffer of exactly its size', async () => {
  const rig = await Rig.start();

  const large = await rig.run('() => new Uint8Array(1_000_000).fill(3)', { resultEncoding: 'bytes' });
  const middle = await rig.run('() => new Uint8Array(20_000).fill(4)', { resultEncoding: 'bytes' });
  const small = await rig.run('() => new Uint8Array(10).fill(5)', { resultEncoding: 'bytes' });

  const [a, b, c] = [large, middle, small].map((outcome) => {
    expect(outcome.type).toBe('execute-success');
    return (outcome as Extract<typeof outcome, { type: 'execute-success' }>).result.data;
  });
  expect(types.isSharedArrayBuffer(must(a, 'large').buffer)).toBe(true);
  expect(a?.buffer.byteLength).toBe(1_000_000);
  expect(types.isSharedArrayBuffer(must(b, 'middle').buffer)).toBe(false);
  expect(b?.buffer.byteLength).toBe(20_000);
  expect(c?.buffer.byteLength).toBe(10);
});

test('values nested 10,000 deep travel both ways', async () => {
  const rig = await Rig.start();

  const depth = await rig.value(
    '(depth) => { let value = null; for (let i = 0; i < depth; i += 1) value = { value }; return value; }',
    { args: [10_000] },
  );

  let count = 0;
  for (let at = depth as { value: unknown } | null; at !== null; at = at.value as typeof at) count += 1;
  expect(count).toBe(10_000);
});

test('JSON arguments and results work for clients of any language', async () => {
  const rig = await Rig.start();
  const args = { encoding: 'json' as const, data: new TextEncoder().encode('[{"a":1},[2]]') };

  const outcome = await rig.run('(x, [y]) => ({ sum: x.a + y })', { args, resultEncoding: 'json' });

  expect(outcome).toMatchObject({ type: 'execute-success', result: { encoding: 'json' } });
  const { result } = outcome as Extract<typeof outcome, { type: 'execute-success' }>;
  expect(JSON.parse(new TextDecoder().decode(result.data))).toEqual({ sum: 3 });
});

test('the result of a short task is not held back by a long one that was handed over with it', async () => {
  const rig = await Rig.start();
  const gate = new Gate();
  const short = rig.upload(`exports.short = () => 1; exports.long = ${HOLD};`, 'short');
  await rig.value(short);

  const first = rig.hand(short);
  const second = rig.hand(
    { ...short, exportName: 'long' },
    { inputs: [gate.payload], args: inputsAsArguments(1) },
  );
  await gate.reached();

  // The thread stands still in the second, so it can announce nothing.
  await expect(first.outcome).resolves.toMatchObject({ type: 'execute-success' });
  gate.open();
  await expect(second.outcome).resolves.toMatchObject({ type: 'execute-success' });
});

test('closing ends every thread and answers what was unfinished', async () => {
  const rig = await Rig.start({ slotCount: 2 });
  const gate = new Gate();
  const running = rig.hand(
    '(gate) => { Atomics.store(new Int32Array(gate.buffer), 0, 1); while (true) {} }',
    {
      inputs: [gate.payload],
      args: inputsAsArguments(1),
    },
  );
  const queued = rig.hand('() => 1');
  await gate.reached();

  await rig.executor.close();

  await expect(running.outcome).resolves.toMatchObject({
    type: 'execute-stopped',
    reason: 'thread-ended',
    started: true,
  });
  await expect(queued.outcome).resolves.toMatchObject({
    type: 'execute-stopped',
    reason: 'thread-ended',
    started: false,
  });
  await expect(rig.run('() => 1')).resolves.toMatchObject({ type: 'execute-stopped', started: false });
});

test('user code never sees gc, also in threads that start after a collection', async () => {
  setFlagsFromString('--expose-gc');
  const rig = await Rig.start();
  expect(await rig.value('() => typeof gc')).toBe('undefined');
});

test('a thread that is asked to collect lets go of the inputs it has seen, and of those of the same message', async () => {
  const rig = await Rig.start();
  const remember = rig.upload(
    'exports.run = (b) => void (globalThis.seen ??= []).push(new WeakRef(b.buffer));',
  );
  const shared = (): Payload => ({ encoding: 'bytes', data: new Uint8Array(new SharedArrayBuffer(1024)) });
  const args = inputsAsArguments(1);
  await Promise.all([1, 2, 3].map(() => rig.run(remember, { args, inputs: [shared()] })));

  let left: unknown;
  do {
    await rig.executor.collectGarbage();
    left = await rig.value('() => globalThis.seen.filter((ref) => ref.deref() !== undefined).length');
  } while (left !== 0);

  expect(await rig.value('() => globalThis.seen.length')).toBe(3);
  expect(await rig.value('() => typeof gc')).toBe('undefined');
});
