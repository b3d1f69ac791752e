import { asWorkerId } from '@spillway/kernel';
import type { NannyEvent } from './events.js';
import type { NannyInstruction } from './instructions.js';
import type { NannyMachine } from './nanny-machine.js';
import { aNanny, exited, start, stimulusId, stop, tick, typesOf, verdictIn } from './testing/index.js';

const first = asWorkerId('n1/0-1');

function running(nanny: NannyMachine = aNanny()): NannyMachine {
  nanny.handle(start, 0);
  nanny.handle({ type: 'worker-spawned', stimulusId, slot: 0, workerId: first, pid: 42 }, 1);
  nanny.handle({ type: 'worker-ready', stimulusId, slot: 0, workerId: first }, 200);
  // The look at its memory that is asked for here does not end: see terminate.spec.ts.
  nanny.handle(tick, 200);
  return nanny;
}

describe('a nanny that is to retire its workers', () => {
  const retire: NannyEvent = { type: 'stop', stimulusId, reason: 'SIGTERM', retireMs: 5_000 };
  const retired = (leavesValues = false): NannyEvent => ({
    type: 'worker-retired',
    stimulusId,
    slot: 0,
    workerId: first,
    reason: 'retired',
    leavesValues,
  });
  const leavesIn = (instructions: readonly NannyInstruction[]): unknown[] =>
    instructions.flatMap((i) =>
      i.type === 'send-to-scheduler' && i.message.type === 'worker-exited' ? [i.message.leavesValues] : [],
    );

  test('asks them to, and finishes when they have gone by themselves', () => {
    const nanny = running();
    const asked = nanny.handle(retire, 1_000);
    expect(typesOf(asked)).toEqual(['send-to-scheduler', 'ask-worker-to-retire']);
    expect(asked).toContainEqual(expect.objectContaining({ workerId: first, deadlineMs: 5_000 }));
    expect(nanny.slots[0]?.state.name).toBe('retiring');

    nanny.handle(retired(), 2_000);
    const out = nanny.handle(exited(first, { code: 0, signal: null }), 2_100);

    expect(verdictIn(out)?.cause).toEqual({ kind: 'closed' });
    expect(typesOf(out)).toEqual(['send-to-scheduler', 'finished']);
  });

  test('asks one that has not gone in time to close, and kills one that does not', () => {
    const nanny = running();
    nanny.handle(retire, 1_000);
    expect(typesOf(nanny.handle(tick, 6_499))).not.toContain('ask-worker-to-close');
    expect(typesOf(nanny.handle(tick, 6_500))).toContain('ask-worker-to-close');
    expect(typesOf(nanny.handle(tick, 60_000))).toContain('kill-worker');
  });

  test('told once more without time for it, asks them to close at once', () => {
    const nanny = running();
    nanny.handle(retire, 1_000);
    expect(typesOf(nanny.handle(retire, 1_100))).toEqual([]);
    expect(typesOf(nanny.handle(stop, 1_200))).toEqual(['ask-worker-to-close']);
  });

  test('asks a worker that has not registered to close: it has nothing', () => {
    const nanny = aNanny();
    nanny.handle(start, 0);
    expect(typesOf(nanny.handle(retire, 1))).toEqual(['send-to-scheduler', 'ask-worker-to-close']);
  });

  test('says what a retired worker leaves on disk', () => {
    const nanny = running();
    nanny.handle(retire, 1_000);
    nanny.handle(retired(true), 2_000);
    expect(leavesIn(nanny.handle(exited(first, { code: 0, signal: null }), 2_100))).toEqual([true]);
  });
});

test('a worker that an operator retired is not replaced, and with its last worker the nanny finishes', () => {
  const nanny = running();
  nanny.handle(
    { type: 'worker-retired', stimulusId, slot: 0, workerId: first, reason: 'asked', leavesValues: false },
    1_000,
  );

  const out = nanny.handle(exited(first, { code: 0, signal: null }), 1_100);

  expect(typesOf(out)).toEqual(['send-to-scheduler', 'finished']);
});

describe('a worker that is to be replaced', () => {
  const restart: NannyEvent = { type: 'restart-worker', stimulusId, workerId: first, reason: 'asked' };
  const retired: NannyEvent = {
    type: 'worker-retired',
    stimulusId,
    slot: 0,
    workerId: first,
    reason: 'asked',
    leavesValues: true,
  };
  const draining = (adopts = true): NannyMachine => running(aNanny({ restartDrainMs: 5_000, adopts }));

  test('ends what it runs, leaves all it has, and another takes its place', () => {
    const nanny = draining();
    expect(nanny.handle(restart, 1_000)).toContainEqual(
      expect.objectContaining({ type: 'ask-worker-to-retire', deadlineMs: 5_000, leavesAll: true }),
    );
    nanny.handle(retired, 2_000);

    const out = nanny.handle(exited(first, { code: 0, signal: null }), 2_100);

    expect(typesOf(out)).toEqual(['send-to-scheduler', 'spawn-worker']);
    expect(out).toContainEqual(
      expect.objectContaining({ message: expect.objectContaining({ leavesValues: true }) as unknown }),
    );
  });

  test('has what it has copied where nothing is adopted', () => {
    expect(draining(false).handle(restart, 1_000)).toContainEqual(
      expect.objectContaining({ type: 'ask-worker-to-retire', leavesAll: false }),
    );
  });

  test('has no successor when the nanny is told to stop meanwhile', () => {
    const nanny = draining();
    nanny.handle(restart, 1_000);
    nanny.handle(stop, 1_100);
    nanny.handle(retired, 1_200);

    expect(typesOf(nanny.handle(exited(first, { code: 0, signal: null }), 1_300))).toEqual([
      'send-to-scheduler',
      'finished',
    ]);
  });
});
