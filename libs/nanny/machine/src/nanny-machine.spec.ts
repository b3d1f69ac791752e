import { asWorkerId, type WorkerId } from '@spillway/kernel';
import fc from 'fast-check';
import type { NannyEvent } from './events.js';
import type { NannyInstruction } from './instructions.js';
import type { NannyMachine } from './nanny-machine.js';
import { aNanny, exited, start, stimulusId, stop, tick, typesOf, verdictIn } from './testing/index.js';

const first = asWorkerId('n1/0-1');
const second = asWorkerId('n1/0-2');
const sampled = (workerId: WorkerId, processBytes: number | undefined): NannyEvent => ({
  type: 'worker-sampled',
  stimulusId,
  workerId,
  processBytes,
});

function running(nanny: NannyMachine = aNanny()): NannyMachine {
  nanny.handle(start, 0);
  nanny.handle({ type: 'worker-spawned', stimulusId, slot: 0, workerId: first, pid: 42 }, 1);
  nanny.handle({ type: 'worker-ready', stimulusId, slot: 0, workerId: first }, 200);
  // The look at its memory that is asked for here does not end: see terminate.spec.ts.
  nanny.handle(tick, 200);
  return nanny;
}

test('a worker that dies is replaced at once, under the same name and a new id', () => {
  const out = running().handle(exited(first), 300);
  expect(typesOf(out)).toEqual(['send-to-scheduler', 'spawn-worker']);
  expect(out).toContainEqual({ type: 'spawn-worker', stimulusId, slot: 0, workerId: second, name: 'w' });
});

test('quick deaths in a row rest longer and longer before the next start', () => {
  const nanny = running();
  nanny.handle(exited(first), 300);
  expect(typesOf(nanny.handle(exited(second), 400))).toEqual(['send-to-scheduler']);
  expect(nanny.nextWakeMs).toBe(500);
  expect(typesOf(nanny.handle(tick, 499))).toEqual([]);
  expect(typesOf(nanny.handle(tick, 500))).toEqual(['spawn-worker']);
  nanny.handle(exited(asWorkerId('n1/0-3')), 600);
  expect(nanny.nextWakeMs).toBe(800);
});

test('a worker that lived long enough forgives the deaths before it', () => {
  const nanny = running();
  nanny.handle(exited(first), 300);
  expect(typesOf(nanny.handle(exited(second), 20_000))).toEqual(['send-to-scheduler', 'spawn-worker']);
});

test('stop asks every worker to close and finishes when the last has exited', () => {
  const nanny = running();
  expect(typesOf(nanny.handle(stop, 1000))).toEqual(['send-to-scheduler', 'ask-worker-to-close']);
  const out = nanny.handle(exited(first, { code: 0, signal: null }), 1100);
  expect(verdictIn(out)?.cause).toEqual({ kind: 'closed' });
  expect(typesOf(out)).toEqual(['send-to-scheduler', 'finished']);
});

test('a worker that does not close in time is killed, and stop still finishes', () => {
  const nanny = running();
  nanny.handle(stop, 1000);
  expect(nanny.nextWakeMs).toBe(2000);
  expect(typesOf(nanny.handle(tick, 2000))).toEqual(['kill-worker']);
  expect(typesOf(nanny.handle(exited(first), 2010))).toEqual(['send-to-scheduler', 'finished']);
});

test('stop while a slot rests finishes without starting anything', () => {
  const nanny = running();
  nanny.handle(exited(first), 300);
  nanny.handle(exited(second), 400);
  expect(typesOf(nanny.handle(stop, 450))).toEqual(['send-to-scheduler', 'finished']);
  expect(nanny.nextWakeMs).toBeUndefined();
});

test('a worker that is replaced leaves its values to the next one, and one that is stopped does not', () => {
  const restart = { type: 'restart-worker', stimulusId, workerId: first, reason: 'operator' } as const;
  const leaves = (nanny: NannyMachine, event: NannyEvent): boolean[] =>
    nanny.handle(event, 500).flatMap((i) => (i.type === 'ask-worker-to-close' ? [i.leavesValues] : []));

  expect(leaves(running(), restart)).toEqual([true]);
  expect(leaves(running(), stop)).toEqual([false]);
  expect(leaves(running(aNanny({ adopts: false })), restart)).toEqual([false]);
});

test('restarting a worker on request closes it in order and starts another', () => {
  const nanny = running();
  const asked = nanny.handle(
    { type: 'restart-worker', stimulusId, workerId: first, reason: 'operator' },
    500,
  );
  expect(typesOf(asked)).toEqual(['ask-worker-to-close']);
  expect(typesOf(nanny.handle(exited(first, { code: 0, signal: null }), 600))).toEqual([
    'send-to-scheduler',
    'spawn-worker',
  ]);
});

test('an exit of a worker that is long replaced changes nothing', () => {
  const nanny = running();
  nanny.handle(exited(first), 300);
  expect(nanny.handle(exited(first), 310)).toEqual([]);
});

test('a worker that said it would end and does not is killed, and replaced as one that ended on purpose', () => {
  const nanny = running();
  nanny.handle(
    { type: 'worker-recycling', stimulusId, slot: 0, workerId: first, reason: 'a native call hangs' },
    400,
  );
  expect(nanny.nextWakeMs).toBe(1400);
  expect(typesOf(nanny.handle({ type: 'tick', stimulusId }, 1400))).toEqual(['kill-worker']);
  const ended = nanny.handle(exited(first, { code: null, signal: 'SIGKILL' }), 1410);
  expect(verdictIn(ended)?.cause).toEqual({ kind: 'recycled', reason: 'a native call hangs' });
  expect(typesOf(ended)).toContain('spawn-worker');
});

test('a worker that never registers is killed, and each further one rests longer before it starts', () => {
  const nanny = aNanny({ startTimeoutMs: 5000 });
  nanny.handle(start, 0);
  expect(nanny.nextWakeMs).toBe(5000);
  expect(typesOf(nanny.handle(tick, 4999))).toEqual([]);
  expect(typesOf(nanny.handle(tick, 5000))).toEqual(['kill-worker']);
  const ended = nanny.handle(exited(first), 5010);
  expect(verdictIn(ended)?.cause).toEqual({
    kind: 'start-failed',
    message: 'it did not register within 5000 ms',
  });
  expect(typesOf(ended)).toEqual(['send-to-scheduler', 'spawn-worker']);
  nanny.handle(tick, 10_010);
  nanny.handle(exited(second), 10_020);
  expect(nanny.nextWakeMs).toBe(10_120);
});

test('a worker that registered in time is not killed when its start would have been over', () => {
  const nanny = running(aNanny({ startTimeoutMs: 5000, workerTtlMs: false }));
  expect(nanny.nextWakeMs).toBeUndefined();
  expect(nanny.handle(tick, 5000)).toEqual([]);
});

test('a nanny that was stopped before it started starts nothing', () => {
  const nanny = aNanny();
  expect(typesOf(nanny.handle(stop, 0))).toEqual(['send-to-scheduler', 'finished']);
  expect(nanny.handle(start, 1)).toEqual([]);
});

test.each([
  ['closes', undefined],
  ['has itself replaced', 'the transfer thread ended'],
])(
  'a worker that %s again and again soon after its start rests as one that crashes does',
  (_what, reason) => {
    const nanny = aNanny();
    nanny.handle(start, 0);
    const liveAndEnd = (workerId: WorkerId, atMs: number): NannyInstruction[] => {
      nanny.handle({ type: 'worker-ready', stimulusId, slot: 0, workerId }, atMs);
      if (reason !== undefined)
        nanny.handle({ type: 'worker-recycling', stimulusId, slot: 0, workerId, reason }, atMs);
      return nanny.handle(exited(workerId, { code: reason === undefined ? 0 : 75, signal: null }), atMs);
    };
    expect(typesOf(liveAndEnd(first, 100))).toContain('spawn-worker');
    expect(typesOf(liveAndEnd(second, 200))).not.toContain('spawn-worker');
    expect(nanny.nextWakeMs).toBe(300);
  },
);

test('restarting a worker on request again and again does not make it rest', () => {
  const nanny = running();
  for (const [index, workerId] of [first, second].entries()) {
    nanny.handle({ type: 'restart-worker', stimulusId, workerId, reason: 'operator' }, 500 + index);
    const ended = nanny.handle(exited(workerId, { code: 0, signal: null }), 600 + index);
    expect(typesOf(ended)).toContain('spawn-worker');
  }
});

describe('the verdict', () => {
  const v8Words = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory';
  test.each([
    ['a signal from outside', { signal: 'SIGKILL' }, { kind: 'signal', signal: 'SIGKILL' }],
    ['an exit code', { code: 7, signal: null }, { kind: 'exit-code', code: 7 }],
    ['V8 out of heap, by code', { code: 134, signal: null, stderrTail: v8Words }, { kind: 'heap-exhausted' }],
    ['V8 out of heap, by signal', { signal: 'SIGABRT', stderrTail: v8Words }, { kind: 'heap-exhausted' }],
    [
      'another native abort',
      { signal: 'SIGABRT', stderrTail: 'assertion' },
      { kind: 'signal', signal: 'SIGABRT' },
    ],
    ['the kernel out of memory', { signal: 'SIGKILL', didKernelRunOut: true }, { kind: 'kernel-oom' }],
    [
      'another signal while the kernel was out of memory',
      { signal: 'SIGTERM', didKernelRunOut: true },
      { kind: 'signal', signal: 'SIGTERM' },
    ],
    [
      'no start at all',
      { code: null, signal: null, startError: 'ENOENT' },
      { kind: 'start-failed', message: 'ENOENT' },
    ],
  ] as const)('names %s', (_what, how, cause) => {
    expect(verdictIn(running().handle(exited(first, how), 900))?.cause).toEqual(cause);
  });

  test('says of a worker that closed for want of a scheduler that it did, and where to look', () => {
    const verdict = verdictIn(running().handle(exited(first, { code: 3, signal: null }), 900));
    expect(verdict?.cause).toEqual({ kind: 'exit-code', code: 3 });
    expect(verdict?.summary).toContain('could not reach the scheduler');
    expect(verdict?.nextStep).toContain('network');
    const other = verdictIn(running().handle(exited(first, { code: 7, signal: null }), 900));
    expect(other?.nextStep).toContain('stderr');
  });

  test('names a recycling the worker announced', () => {
    const nanny = running();
    nanny.handle(
      { type: 'worker-recycling', stimulusId, slot: 0, workerId: first, reason: 'a native call hangs' },
      400,
    );
    const verdict = verdictIn(nanny.handle(exited(first, { code: 75, signal: null }), 500));
    expect(verdict?.cause).toEqual({ kind: 'recycled', reason: 'a native call hangs' });
    expect(verdict?.summary).toContain('a native call hangs');
  });
});

test('whatever happens in whatever order, a slot never has two processes, and stop always finishes', () => {
  const steps = fc.array(
    fc.constantFrom(
      'spawned',
      'ready',
      'alive',
      'exit',
      'late-exit',
      'restart',
      'tick',
      'sample',
      'big-sample',
      'stop',
      'start' as const,
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(steps, (names) => {
      const nanny = aNanny({ workerNames: ['a', 'b'] });
      const alive = new Map<number, WorkerId>();
      let nowMs = 0;
      let finishedCount = 0;
      const feed = (event: NannyEvent): void => {
        for (const instruction of nanny.handle(event, (nowMs += 150))) {
          if (instruction.type === 'finished') finishedCount += 1;
          if (instruction.type !== 'spawn-worker') continue;
          expect(alive.has(instruction.slot)).toBe(false);
          alive.set(instruction.slot, instruction.workerId);
        }
      };
      const exit = (slot: number): void => {
        const workerId = alive.get(slot);
        if (workerId === undefined) return;
        alive.delete(slot);
        feed({ ...exited(workerId), slot } as NannyEvent);
      };
      for (const [index, name] of names.entries()) {
        const slot = index % 2;
        const workerId = alive.get(slot) ?? asWorkerId('nobody');
        if (name === 'start') feed(start);
        if (name === 'spawned') feed({ type: 'worker-spawned', stimulusId, slot, workerId, pid: 1 });
        if (name === 'ready') feed({ type: 'worker-ready', stimulusId, slot, workerId });
        if (name === 'alive') feed({ type: 'worker-alive', stimulusId, slot, workerId });
        if (name === 'restart') feed({ type: 'restart-worker', stimulusId, workerId, reason: 'r' });
        if (name === 'late-exit') feed(exited(asWorkerId('n1/0-0')));
        if (name === 'exit') exit(slot);
        if (name === 'tick') feed(tick);
        if (name === 'sample') feed(sampled(workerId, 100));
        if (name === 'big-sample') feed(sampled(workerId, 990_000_000));
        if (name === 'stop') feed(stop);
      }
      feed(stop);
      exit(0);
      exit(1);
      expect(finishedCount).toBe(1);
      expect(nanny.nextWakeMs).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
});
