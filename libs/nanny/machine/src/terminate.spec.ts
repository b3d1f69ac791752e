import { asStimulusId, asWorkerId } from '@spillway/kernel';
import type { NannyEvent } from './events.js';
import type { NannyInstruction } from './instructions.js';
import type { NannyMachine } from './nanny-machine.js';
import type { NannyMachineOptions } from './options.js';
import { aNanny } from './testing/index.js';

const MB = 1_000_000;
const stimulusId = asStimulusId('s');
const workerId = asWorkerId('n1/0-1');
const slot = 0;

const sampled = (processBytes: number | undefined): NannyEvent => ({
  type: 'worker-sampled',
  stimulusId,
  workerId,
  processBytes,
});
const tick: NannyEvent = { type: 'tick', stimulusId };
const exited: NannyEvent = {
  type: 'worker-exited',
  stimulusId,
  slot,
  workerId,
  code: null,
  signal: 'SIGKILL',
  stderrTail: '',
  didKernelRunOut: false,
};
const typesOf = (instructions: readonly NannyInstruction[]): string[] =>
  instructions.map(({ type }) => type).filter((type) => type !== 'log-event');
const verdictIn = (instructions: readonly NannyInstruction[]) =>
  instructions.flatMap((each) =>
    each.type === 'send-to-scheduler' && each.message.type === 'worker-exited' ? [each.message.verdict] : [],
  )[0];

/** A limit of 1000 MB, so that terminate is at 950 MB; registered at 100 ms. */
function running(options: Partial<NannyMachineOptions> = {}): NannyMachine {
  const nanny = aNanny({ limitBytes: 1000 * MB, ...options });
  nanny.handle({ type: 'start', stimulusId }, 0);
  nanny.handle({ type: 'worker-spawned', stimulusId, slot, workerId, pid: 42 }, 0);
  nanny.handle({ type: 'worker-ready', stimulusId, slot, workerId }, 100);
  return nanny;
}

test('a worker is looked at as soon as it has a process, and one look is under way at a time', () => {
  const nanny = running();
  expect(nanny.nextWakeMs).toBe(0);
  expect(nanny.handle(tick, 100)).toEqual([{ type: 'sample-worker', stimulusId, workerId, pid: 42 }]);
  expect(nanny.handle(tick, 500)).toEqual([]);
});

test.each([
  ['at the interval with much headroom', 100, 200],
  ['before half of the headroom can be gone, at 2 MB in a millisecond', 750, 50],
  ['at most every 5 ms', 949, 5],
])('the next look comes %s', (_when, processMB, inMs) => {
  const nanny = running();
  nanny.handle(tick, 100);
  nanny.handle(sampled(processMB * MB), 100);
  expect(nanny.nextWakeMs).toBe(100 + inMs);
});

test('a worker that was seen to grow faster is looked at more often', () => {
  const nanny = running();
  nanny.handle(sampled(100 * MB), 100);
  nanny.handle(sampled(500 * MB), 150);
  nanny.handle(sampled(310 * MB), 200);
  expect(nanny.nextWakeMs).toBe(200 + (950 - 310) / 8 / 2);
});

test('above terminate it is killed at once, and not twice; at terminate it is not', () => {
  const nanny = running();
  expect(typesOf(nanny.handle(sampled(950 * MB), 200))).toEqual([]);
  expect(typesOf(nanny.handle(sampled(950 * MB + 1), 210))).toEqual(['kill-worker']);
  expect(typesOf(nanny.handle(sampled(999 * MB), 220))).toEqual([]);
  expect(nanny.nextWakeMs).toBeUndefined();
});

test('the verdict has the memory, the threshold and the limit, the last looks and what to do', () => {
  const nanny = running();
  nanny.handle(sampled(400 * MB), 200);
  nanny.handle(sampled(970 * MB), 300);
  expect(verdictIn(nanny.handle(exited, 320))).toMatchObject({
    cause: {
      kind: 'memory-limit',
      processBytes: 970 * MB,
      terminateBytes: 950 * MB,
      limitBytes: 1000 * MB,
    },
    samples: [
      { beforeEndMs: 120, processBytes: 400 * MB },
      { beforeEndMs: 20, processBytes: 970 * MB },
    ],
    limitBytes: 1000 * MB,
    terminateBytes: 950 * MB,
    nextStep: expect.stringContaining('--memory-limit') as string,
    summary: expect.stringContaining('above terminate') as string,
  });
});

test('the verdict of any death has the last 20 looks', () => {
  const nanny = running();
  for (let look = 1; look <= 30; look++) nanny.handle(sampled(look * MB), 100 + look);
  const { cause, samples } = verdictIn(nanny.handle(exited, 200))!;
  expect(cause).toEqual({ kind: 'signal', signal: 'SIGKILL' });
  expect(samples).toHaveLength(20);
  expect(samples.at(-1)).toEqual({ beforeEndMs: 70, processBytes: 30 * MB });
});

test('a worker that closes, or said that it would, is ended above terminate all the same', () => {
  const nanny = running();
  nanny.handle({ type: 'worker-recycling', stimulusId, slot, workerId, reason: 'leaks' }, 200);
  expect(typesOf(nanny.handle(sampled(960 * MB), 210))).toEqual(['kill-worker']);
  expect(verdictIn(nanny.handle(exited, 220))?.cause.kind).toBe('memory-limit');
});

test('a process that cannot be looked at ends no worker', () => {
  const nanny = running();
  expect(nanny.handle(sampled(undefined), 200)).toEqual([]);
  expect(nanny.nextWakeMs).toBe(400);
});

test('a lower limit ends at once what is above it; a look at a worker of the past nobody', () => {
  const nanny = running();
  nanny.handle(sampled(500 * MB), 200);
  expect(typesOf(nanny.handle({ type: 'limit-changed', stimulusId, limitBytes: 400 * MB }, 210))).toEqual([
    'kill-worker',
  ]);
  nanny.handle(exited, 220);
  expect(nanny.handle(sampled(990 * MB), 230)).toEqual([]);
});

test.each([{ terminateFraction: false }, { limitBytes: false }] as const)(
  'with %j nobody is ended',
  (off) => {
    const nanny = running(off);
    expect(nanny.handle(sampled(5000 * MB), 200)).toEqual([]);
    expect(nanny.nextWakeMs).toBe(400);
  },
);
