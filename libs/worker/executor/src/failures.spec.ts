/** What user code throws or returns, however strange, becomes one bounded error; nothing of it escapes. */
import { must } from '@spillway/kernel';
import { ERROR_TEXT_LENGTH_MAX, THROWN_VALUE_BYTES_MAX, type RemoteError } from '@spillway/messages';
import { decodeValue, encodeValue } from '@spillway/values';
import { closeRigs, inputsAsArguments, Rig, type RunOptions } from './testing/executor-rig.js';

afterEach(closeRigs);

async function failure(
  rig: Rig,
  text: string,
  options: RunOptions = {},
): Promise<RemoteError & { mayRetry: boolean }> {
  const outcome = await rig.run(text, options);
  if (outcome.type !== 'execute-failure') throw new Error(`expected a failure, not ${outcome.type}`);
  return { ...outcome.error, mayRetry: outcome.mayRetry };
}

test('a thrown error keeps its name, message, stack and value, and may be tried again', async () => {
  const rig = await Rig.start();

  const error = await failure(
    rig,
    '() => { throw Object.assign(new RangeError("out of bounds"), { code: "E_ROW", row: 7 }); }',
    { key: 'k-1' },
  );

  expect(error).toMatchObject({
    code: 'TASK_FAILED',
    mayRetry: true,
    details: { key: 'k-1', function: 'run', attempt: '1' },
  });
  expect(error.message).toContain('Task k-1 (run) failed: RangeError: out of bounds');
  expect(error.stack).toContain('RangeError: out of bounds');
  const thrown = decodeValue(must(error.thrown, 'thrown')) as Error & { code: string };
  expect(thrown).toMatchObject({ name: 'RangeError', message: 'out of bounds', code: 'E_ROW' });
});

test('a rejected promise is the same as a throw', async () => {
  const rig = await Rig.start();
  await expect(failure(rig, 'async () => { await null; throw new Error("later"); }')).resolves.toMatchObject({
    code: 'TASK_FAILED',
    message: expect.stringContaining('Error: later') as string,
  });
});

test.each([
  ['a string', 'throw "just text"', 'just text'],
  ['undefined', 'throw undefined', 'undefined'],
  ['null', 'throw null', 'null'],
  ['a frozen error', 'throw Object.freeze(new Error("cold"))', 'Error: cold'],
  ['an object without a prototype', 'throw Object.assign(Object.create(null), { a: 1 })', 'a: 1'],
  [
    'an object whose getters throw',
    'throw { get message() { throw 1 }, get name() { throw 2 }, get stack() { throw 3 } }',
    'failed',
  ],
  [
    'an error whose message is a getter that throws',
    'throw Object.defineProperty(new Error("x"), "message", { get() { throw 1 } })',
    'failed',
  ],
  [
    'a proxy that throws at everything',
    'throw new Proxy({}, new Proxy({}, { get() { throw new Error("trap") } }))',
    'failed',
  ],
  ['a function', 'throw () => 1', 'Function'],
  ['a symbol', 'throw Symbol("s")', 'Symbol(s)'],
])('thrown %s becomes TASK_FAILED', async (_, body, part) => {
  const rig = await Rig.start();

  const error = await failure(rig, `() => { ${body}; }`);

  expect(error).toMatchObject({ code: 'TASK_FAILED', mayRetry: true });
  expect(error.message).toContain(part);
  await expect(rig.value('() => 1')).resolves.toBe(1);
});

test('an error that holds what cannot travel still arrives as an error with its code', async () => {
  const rig = await Rig.start();

  const error = await failure(
    rig,
    '() => { throw Object.assign(new Error("with baggage"), { code: "E_BAG", cause: () => 1, socket: () => 2 }); }',
  );

  expect(decodeValue(must(error.thrown, 'thrown'))).toMatchObject({ message: 'with baggage', code: 'E_BAG' });
});

test('texts and thrown values are bounded', async () => {
  const rig = await Rig.start();

  const error = await failure(
    rig,
    '() => { throw Object.assign(new Error("x".repeat(1_000_000)), { big: new Uint8Array(1_000_000) }); }',
  );

  expect(error.message.length).toBeLessThanOrEqual(ERROR_TEXT_LENGTH_MAX);
  expect(must(error.stack, 'stack').length).toBeLessThanOrEqual(ERROR_TEXT_LENGTH_MAX);
  expect(error.thrown?.data.byteLength ?? 0).toBeLessThanOrEqual(THROWN_VALUE_BYTES_MAX);
});

test('a result that cannot be encoded names the field and is not tried again', async () => {
  const rig = await Rig.start();
  await expect(failure(rig, '() => ({ rows: [{ parse: () => 1 }] })')).resolves.toMatchObject({
    code: 'VALUE_NOT_ENCODABLE',
    mayRetry: false,
    message: expect.stringContaining('rows[0].parse') as string,
  });
});

test('a result whose getter throws is not encodable, and the thread lives on', async () => {
  const rig = await Rig.start();
  await expect(failure(rig, '() => ({ get bad() { throw new Error("no") } })')).resolves.toMatchObject({
    code: 'VALUE_NOT_ENCODABLE',
    mayRetry: false,
  });
  await expect(rig.value('() => 1')).resolves.toBe(1);
});

test('arguments or inputs that do not decode err the task and are not tried again', async () => {
  const rig = await Rig.start();
  const garbage = { encoding: 'v8' as const, data: Uint8Array.of(1, 2, 3) };

  await expect(failure(rig, '() => 1', { args: garbage })).resolves.toMatchObject({
    code: 'VALUE_NOT_DECODABLE',
    mayRetry: false,
  });
  await expect(
    failure(rig, '() => 1', { inputs: [garbage], args: inputsAsArguments(1) }),
  ).resolves.toMatchObject({ code: 'VALUE_NOT_DECODABLE', mayRetry: false });
  await expect(failure(rig, '() => 1', { args: encodeValue({ not: 'a list' }) })).resolves.toMatchObject({
    code: 'VALUE_NOT_DECODABLE',
    message: expect.stringContaining('not an array') as string,
  });
});

describe('with validate on', () => {
  const INPUT = encodeValue(new Float64Array([1, 2, 3]));

  test.each([
    ['a task that writes into an input', '(_, b) => { b[1] = 9; }'],
    ['an asynchronous one', 'async (_, b) => { await null; b[1] = 9; }'],
    ['one that throws after it', '(_, b) => { b[1] = 9; throw new Error("because of it"); }'],
  ])('%s is told which', async (_, text) => {
    const rig = await Rig.start({ validate: true });

    const error = await failure(rig, text, { inputs: [INPUT, INPUT], args: inputsAsArguments(2) });

    expect(error).toMatchObject({ code: 'INPUT_MUTATED', mayRetry: false, details: { dependencies: '1' } });
    expect(error.message).toContain('dependency 1');
  });

  test('reading inputs, and writing into a copy, is fine', async () => {
    const rig = await Rig.start({ validate: true });
    await expect(
      rig.value('(a) => { const copy = a.slice(); copy[0] = 5; return copy[0] + a[0]; }', {
        inputs: [INPUT],
        args: inputsAsArguments(1),
      }),
    ).resolves.toBe(6);
  });
});

test('without validate nobody looks', async () => {
  const rig = await Rig.start({ validate: false });
  await expect(
    rig.value('(a) => { a[0] = 5; return a[0]; }', {
      inputs: [encodeValue(new Float64Array([1, 2, 3]))],
      args: inputsAsArguments(1),
    }),
  ).resolves.toBe(5);
});
