import {
  asClientId,
  asStimulusId,
  asSubmissionId,
  asTaskKey,
  asNannyId,
  asWorkerId,
  FutureCancelledError,
  InvalidArgumentError,
  KeyConflictError,
  LostDataError,
} from '@spillway/kernel';
import { PROTOCOL_VERSION, type KeyOutcome } from '@spillway/messages';
import { aTask, TestLink, TestRuntime } from './testing.spec-d.js';

const LEASE_MS = 1000;
const alice = asClientId('alice');
const [x, y] = [asTaskKey('x'), asTaskKey('y')];

const aRuntime = (): TestRuntime => new TestRuntime({ clientLeaseMs: LEASE_MS });

function wait(
  test: TestRuntime,
  key = x,
  signal = new AbortController().signal,
): Promise<readonly KeyOutcome[]> {
  return test.runtime.waitForKeys(alice, [key], signal);
}

describe('a client without a stream', () => {
  test('is there for as long as one of its calls lasts, whichever ends first', async () => {
    const test = aRuntime();
    const worker = test.openWorker('w');
    await test.submit('alice', 'x', 'y');
    const [first, second] = [wait(test, x), wait(test, y)];

    test.finish(worker, 'x');
    await first;
    test.time.pass(10 * LEASE_MS);

    test.finish(worker, 'y');
    expect(await second).toEqual([{ key: y, state: 'memory' }]);
    test.time.pass(LEASE_MS - 1);
    expect(test.machine.wantsOf(alice)).toEqual([x, y]);
    test.time.pass(1);
    expect(test.machine.knowsClient(alice)).toBe(false);
  });

  test('has a lease that runs while neither a call nor its stream is there', async () => {
    const test = aRuntime();
    const worker = test.openWorker('w');
    const stream = test.openClient('alice');
    await test.submit('alice', 'x');
    const waiting = wait(test);

    stream.onDisconnected?.('cut');
    test.time.pass(10 * LEASE_MS);
    expect(test.machine.knowsClient(alice)).toBe(true);

    test.finish(worker, 'x');
    await waiting;
    test.time.pass(LEASE_MS);
    expect(test.machine.knowsClient(alice)).toBe(false);
  });

  test('keeps what it has while its stream is there, although its calls have ended', async () => {
    const test = aRuntime();
    test.openClient('alice');
    await test.submit('alice', 'x');

    test.time.pass(10 * LEASE_MS);

    expect(test.machine.wantsOf(alice)).toEqual([x]);
  });
});

describe('a call that waits for keys is answered', () => {
  const forgotten = [{ key: x, state: 'forgotten' }];

  test('as forgotten when the client lets go of them', async () => {
    const test = aRuntime();
    await test.submit('alice', 'x');
    const waiting = wait(test);

    test.runtime.releaseKeys(alice, [x]);

    expect(await waiting).toEqual(forgotten);
  });

  test('as forgotten when the client cancels them', async () => {
    const test = aRuntime();
    await test.submit('alice', 'x');
    const waiting = wait(test);

    test.runtime.cancelKeys(alice, [x], false);

    expect(await waiting).toEqual(forgotten);
  });

  test('as forgotten when the client is closed, and a call that comes after that is of a new client', async () => {
    const test = aRuntime();
    const worker = test.openWorker('w');
    await test.submit('alice', 'x');
    const before = wait(test);

    test.runtime.closeClient(alice);
    const submitted = test.submit('alice', 'y');
    expect(await before).toEqual(forgotten);
    await submitted;

    const after = wait(test, y);
    test.finish(worker, 'y');
    expect(await after).toEqual([{ key: y, state: 'memory' }]);
  });

  test('with an error when its caller has gone, and the client lives on for its lease', async () => {
    const test = aRuntime();
    await test.submit('alice', 'x');
    const caller = new AbortController();
    const waiting = wait(test, x, caller.signal);

    caller.abort();

    await expect(waiting).rejects.toBeInstanceOf(FutureCancelledError);
    test.time.pass(LEASE_MS - 1);
    expect(test.machine.wantsOf(alice)).toEqual([x]);
    test.time.pass(1);
    expect(test.machine.knowsClient(alice)).toBe(false);
  });
});

describe('a graph that is being submitted', () => {
  test('is refused when its client is closed while the parts come', async () => {
    const test = aRuntime();
    async function* parts() {
      yield await Promise.resolve([aTask('x')]);
      test.runtime.closeClient(alice);
      yield [aTask('y')];
    }

    const submitted = test.runtime.submitGraph(alice, asSubmissionId('g'), parts(), [x]);

    await expect(submitted).rejects.toBeInstanceOf(FutureCancelledError);
    expect(test.machine.stateOf(x)).toBe('forgotten');
  });

  test('is refused when its client is closed while it is being committed', async () => {
    const test = new TestRuntime({ commitStepsMax: 1 });
    const submitted = test.submit('alice', 'x', 'y');
    for (let turn = 0; turn < 100 && test.machine.countsByState.released === 0; turn += 1)
      await Promise.resolve();
    expect(test.machine.countsByState).toMatchObject({ released: 1, waiting: 0, queued: 0 });

    test.runtime.closeClient(alice);

    await expect(submitted).rejects.toBeInstanceOf(FutureCancelledError);
  });
});

describe('data that a client without a stream has put', () => {
  const signal = new AbortController().signal;
  const onW = { key: x, nbytes: 5, holders: [asWorkerId('w')] };

  test('is wanted by it, and freed when its lease is over', async () => {
    const test = aRuntime();
    const { link } = test.openWorker('w');

    await test.runtime.registerData(alice, onW, signal);

    expect(test.runtime.describeKeys([x])).toMatchObject([
      { state: 'memory', nbytes: 5, whoHas: [{ workerId: 'w' }] },
    ]);
    expect(test.machine.wantsOf(alice)).toEqual([x]);
    test.time.pass(LEASE_MS);
    expect(link.sent).toMatchObject([{ type: 'free-keys', keys: [x] }]);
  });

  test('is refused on workers that are not there, and under the key of a task', async () => {
    const test = aRuntime();
    await expect(test.runtime.registerData(alice, onW, signal)).rejects.toBeInstanceOf(LostDataError);

    test.openWorker('w');
    await test.submit('alice', 'y');
    const conflicting = test.runtime.registerData(alice, { ...onW, key: y }, signal);
    await expect(conflicting).rejects.toBeInstanceOf(KeyConflictError);
  });
});

describe('results of a worker that says good-bye', () => {
  async function afterGoodbye(leavesValues: boolean): Promise<TestRuntime> {
    const test = aRuntime();
    const worker = test.openWorker('w');
    await test.submit('alice', 'x');
    test.openClient('alice');
    test.finish(worker, 'x');
    const stimulusId = asStimulusId('bye');
    worker.listener.onMessages([{ type: 'worker-closing', stimulusId, reason: 'recycled', leavesValues }]);
    worker.listener.onEnded(undefined);
    return test;
  }

  test('are waited for when it leaves them to its successor', async () => {
    expect((await afterGoodbye(true)).machine.stateOf(x)).toBe('awaited');
  });

  test('are made again at once when it does not', async () => {
    expect((await afterGoodbye(false)).machine.stateOf(x)).toBe('queued');
  });
});

describe('two workers of one name', () => {
  test('the older is told to close, and its session is ended', () => {
    const test = aRuntime();
    const older = test.openWorker('a', 'twin');

    const newer = test.openWorker('b', 'twin');

    expect(older.link.sent).toMatchObject([{ type: 'close-worker' }]);
    expect(older.link.closedBecause).toContain('Give each worker its own name');
    expect(newer.link.closedBecause).toBeUndefined();
    // What the older one still says, and that its session ends, concerns nobody.
    const stimulusId = asStimulusId('late');
    older.listener.onMessages([{ type: 'worker-status-change', stimulusId, status: 'paused' }]);
    older.listener.onEnded(undefined);
    expect(test.machine.listWorkers()).toMatchObject([{ workerId: 'b', status: 'running' }]);
  });

  test('a function that the older one runs outside scheduling has failed', async () => {
    const test = aRuntime();
    test.openWorker('a', 'twin');
    const ran = test.runtime.runOnWorkers(
      { function: aTask('f').function, args: aTask('f').args, timeoutMs: false },
      [],
      new AbortController().signal,
    );

    test.openWorker('b', 'twin');

    expect(await ran).toMatchObject([{ workerId: 'a', outcome: { error: { code: 'KILLED_WORKER' } } }]);
  });

  test('the hello of one that its nanny has reported dead is refused, and its successor stays', () => {
    const test = aRuntime();
    const nanny = test.runtime.openNanny(
      {
        nannyId: asNannyId('n'),
        name: 'n',
        address: 'n:1',
        pid: 1,
        protocol: PROTOCOL_VERSION,
        softwareVersion: 'test',
      },
      new TestLink(),
    );
    const verdict = {
      workerId: asWorkerId('a'),
      workerName: 'twin',
      cause: { kind: 'signal', signal: 'SIGKILL' } as const,
      summary: 'killed',
      pid: 1,
      livedMs: 1,
      stderrTail: '',
      samples: [],
      limitBytes: false,
      terminateBytes: false,
      nextStep: '',
    } as const;
    const stimulusId = asStimulusId('s');
    nanny.onMessages([{ type: 'worker-exited', stimulusId, verdict, restartInMs: 0, leavesValues: false }]);
    const successor = test.openWorker('b', 'twin');

    expect(() => test.openWorker('a', 'twin')).toThrow(InvalidArgumentError);

    expect(successor.link.closedBecause).toBeUndefined();
    expect(test.machine.listWorkers().map(({ workerId }) => workerId)).toEqual(['b']);
  });
});
