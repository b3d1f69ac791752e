/** Under random stops, exits and throws, every execution has exactly one outcome, and a fitting one. */
import { SeededRandom } from '@spillway/kernel';
import type { ExecutionOutcome, StopReason } from '@spillway/ports';
import { closeRigs, type Handed, Rig } from './testing/executor-rig.js';

afterEach(closeRigs);

const TASKS = `
exports.quick = (x) => x + 1;
exports.large = () => new Uint8Array(20_000);
exports.slow = () => { const end = performance.now() + 2; while (performance.now() < end); return 1; };
exports.waits = () => new Promise((resolve) => setTimeout(resolve, 2));
exports.throws = () => { throw new Error('on purpose'); };
exports.exits = () => process.exit(2);
exports.stray = async () => { setImmediate(() => { throw new Error('stray'); }); await new Promise(() => {}); };
exports.endless = () => { while (true); };
exports.never = () => new Promise(() => {});`;

type Kind = 'quick' | 'large' | 'slow' | 'waits' | 'throws' | 'exits' | 'stray' | 'endless' | 'never';
const COMMON: readonly Kind[] = ['quick', 'quick', 'quick', 'large', 'slow', 'waits', 'throws'];
const RARE: readonly Kind[] = ['exits', 'stray', 'endless', 'never'];
const REASONS: readonly StopReason[] = ['cancelled', 'timeout', 'out-of-memory'];

interface Issued {
  readonly kind: Kind;
  readonly handed: Handed;
  stoppedFor: StopReason[];
}

function fits({ kind, stoppedFor }: Issued, outcome: ExecutionOutcome): boolean {
  switch (outcome.type) {
    case 'execute-success':
      return COMMON.includes(kind) && kind !== 'throws';
    case 'execute-failure':
      return (
        outcome.error.code === (kind === 'exits' ? 'TASK_EXITED' : 'TASK_FAILED') &&
        ['throws', 'exits', 'stray'].includes(kind)
      );
    case 'execute-stopped':
      return outcome.reason === 'thread-ended' ? !outcome.started : stoppedFor.includes(outcome.reason);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

async function playRandomly(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const rig = await Rig.start({ slotCount: 2, abortGraceMs: 3 });
  const ref = rig.upload(TASKS);
  const issued: Issued[] = [];
  const stop = (one: Issued): void => {
    const reason = random.pick(REASONS) ?? 'cancelled';
    one.stoppedFor.push(reason);
    one.handed.stop(reason);
  };
  for (let step = 0; step < 60; step += 1) {
    for (let n = random.below(6); n > 0; n -= 1) {
      const kind = random.pick(random.chance(0.06) ? RARE : COMMON) ?? 'quick';
      const handed = rig.hand({ ...ref, exportName: kind }, { slot: random.below(2), args: [1] });
      issued.push({ kind, handed, stoppedFor: [] });
    }
    for (let n = random.below(4); n > 0; n -= 1) {
      const one = random.pick(issued.slice(-12));
      if (one !== undefined) stop(one);
    }
    for (let n = random.below(3); n > 0; n -= 1) await turn();
  }
  // What never ends by itself has to be stopped for the rest to come to an end.
  for (const one of issued) if (one.kind === 'endless' || one.kind === 'never') stop(one);

  const outcomes = await Promise.all(issued.map(({ handed }) => handed.outcome));

  const misfits = issued.filter((one, index) => !fits(one, outcomes[index] as ExecutionOutcome));
  expect(misfits.map(({ kind, stoppedFor, handed }) => [kind, stoppedFor, handed.execution.runId])).toEqual(
    [],
  );
  expect(new Set(rig.outcomes.map(({ runId }) => runId)).size).toBe(issued.length);
  expect(rig.outcomes).toHaveLength(issued.length);
  await rig.close();
  expect(rig.outcomes).toHaveLength(issued.length);
}

test.each([1, 2, 3, 4, 5, 6])('every execution has exactly one outcome (seed %i)', playRandomly, 30_000);
