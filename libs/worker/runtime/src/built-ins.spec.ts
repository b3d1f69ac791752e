import { builtInOf, type BuiltIns } from './built-ins.js';

const builtIns: BuiltIns = {
  trimMemory: () => Promise.reject(new Error('not called here')),
  loopDelay: () => Promise.resolve({ p50Ms: 1, p99Ms: 2, maxMs: 3 }),
};

test('a function of the built-in module is called on the worker itself, and answers in JSON', async () => {
  const outcome = await builtInOf(
    { kind: 'preinstalled', module: 'spillway', exportName: 'loopDelay' },
    builtIns,
  )?.();

  expect(
    outcome?.type === 'run-success' && JSON.parse(new TextDecoder().decode(outcome.result.data)),
  ).toEqual({
    p50Ms: 1,
    p99Ms: 2,
    maxMs: 3,
  });
});

test.each(['nothing', 'constructor', 'toString'])(
  '%s is not built in, and the answer says what is',
  async (name) => {
    const outcome = await builtInOf(
      { kind: 'preinstalled', module: 'spillway', exportName: name },
      builtIns,
    )?.();

    expect(outcome).toMatchObject({ type: 'run-failure', error: { code: 'FUNCTION_NOT_FOUND' } });
    expect(JSON.stringify(outcome)).toContain('spillway#trimMemory, spillway#loopDelay');
  },
);

test('functions of other modules are none of ours', () => {
  expect(
    builtInOf({ kind: 'preinstalled', module: 'mine', exportName: 'trimMemory' }, builtIns),
  ).toBeUndefined();
});
