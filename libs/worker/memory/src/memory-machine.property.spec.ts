/** After any sequence of events the machine keeps its promises (it checks itself), and comes to rest when the disk works. */
import { asTaskKey, type TaskKey } from '@spillway/kernel';
import fc from 'fast-check';
import type { SpillFailureReason } from '@spillway/messages';
import type { MemoryHappening } from './events.js';
import type { MemoryInstruction } from './instructions.js';
import type { MemoryMachineOptions } from './options.js';
import { asked, Rehearsal } from './testing/index.js';

/** Far above what one event ever needs; a storm would come in the hundreds. */
const INSTRUCTIONS_MAX = 16;
const REASONS: readonly SpillFailureReason[] = ['disk-full', 'read-only', 'limit-reached', 'io-error'];

type Step =
  | { type: 'store' | 'adopt'; name: number; nbytes: number }
  | { type: 'touch' | 'load' | 'free' | 'start'; name: number }
  | { type: 'end' }
  | { type: 'written' | 'refused'; part: number; reason: number }
  | { type: 'sample'; processBytes: number; hoardBytes: number }
  | { type: 'answer' }
  | { type: 'limit'; limitBytes: number | false }
  | { type: 'wait'; forMs: number };

const name = fc.nat(9);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom('store', 'adopt'), name, nbytes: fc.nat(400) }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('touch', 'load', 'free', 'start'), name }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('end') }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constantFrom('written', 'refused'),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
      reason: fc.nat(3),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('sample'),
      processBytes: fc.nat(1200),
      hoardBytes: fc.nat(600),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('answer') }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('limit'), limitBytes: fc.constantFrom(false, 300, 1000, 2000) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('wait'), forMs: fc.nat(3000) }) },
) as fc.Arbitrary<Step>;

const maybe = (fraction: number): fc.Arbitrary<number | false> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(fraction) }, { weight: 1, arbitrary: fc.constant(false) });

const options: fc.Arbitrary<Partial<MemoryMachineOptions>> = fc.record({
  targetFraction: maybe(0.6),
  spillFraction: maybe(0.7),
  pauseFraction: maybe(0.8),
  terminateFraction: maybe(0.95),
  spillDebtFraction: maybe(0.1),
  trimBytes: maybe(100),
});

/** `expect` costs more than all the rest of a run. */
function hold(condition: boolean, broken: string): void {
  if (!condition) throw new Error(broken);
}

/** A runtime in small: knows what is where, and which work is under way. */
class Drill extends Rehearsal {
  readonly held = new Map<TaskKey, number>();
  readonly leaving = new Map<TaskKey, number>();
  readonly running: TaskKey[][] = [];
  readonly pinned = new Map<TaskKey, number>();

  override say(happening: MemoryHappening): MemoryInstruction[] {
    const instructions = super.say(happening);
    hold(instructions.length <= INSTRUCTIONS_MAX, `${happening.type} asks for ${instructions.length} things`);
    for (const { evictId, keys } of asked(instructions, 'evict')) {
      for (const key of keys) {
        hold(!this.pinned.has(key), `${key} is evicted while it is used`);
        hold(this.held.has(key), `${key} is evicted after it was freed`);
        hold(this.machine.placeOf(key) !== 'disk', `${key} is evicted and not in RAM`);
        hold(!this.leaving.has(key), `${key} is evicted twice`);
        this.leaving.set(key, evictId);
      }
    }
    return instructions;
  }

  take(step: Step): void {
    switch (step.type) {
      case 'store':
      case 'adopt':
        this.#hold(step.type, asTaskKey(`k${step.name}`), step.nbytes);
        break;
      case 'start':
        this.#start(asTaskKey(`k${step.name}`));
        break;
      case 'end':
        this.#end();
        break;
      case 'touch':
      case 'load':
      case 'free':
        this.#use(step.type, asTaskKey(`k${step.name}`));
        break;
      case 'written':
      case 'refused':
        this.#answerEvictions(step.type === 'written', step.part, REASONS[step.reason]!);
        break;
      case 'sample':
        this.sample(step.processBytes, { hoard: { mallocFreeBytes: step.hoardBytes } });
        return;
      case 'answer':
        this.#answer();
        break;
      case 'limit':
        this.say({ type: 'limit-changed', limitBytes: step.limitBytes });
        return;
      default:
        this.wait(step.forMs);
    }
  }

  /** Everything under way ends well, time and again, until nothing more is asked for. */
  settle(processBytes: number): void {
    while (this.running.length > 0) this.#end();
    for (let round = 0; round < 15; round++) {
      this.#answerEvictions(true, 1, 'disk-full');
      this.#answer();
      this.wait(6000);
      this.sample(processBytes);
    }
  }

  #hold(type: 'store' | 'adopt', key: TaskKey, nbytes: number): void {
    if (type === 'adopt' && this.held.has(key)) return;
    if (!this.held.has(key)) this.held.set(key, nbytes);
    this.say(
      type === 'store'
        ? { type: 'value-stored', key, nbytes }
        : { type: 'values-adopted', values: [{ key, nbytes, diskBytes: Math.ceil(nbytes / 2) }] },
    );
  }

  #use(type: 'touch' | 'load' | 'free', key: TaskKey): void {
    if (type === 'free') this.held.delete(key);
    if (type === 'free') this.leaving.delete(key);
    const types = { touch: 'value-touched', load: 'value-loaded', free: 'value-freed' } as const;
    this.say({ type: types[type], key });
  }

  #start(key: TaskKey): void {
    this.running.push([key]);
    this.pinned.set(key, (this.pinned.get(key) ?? 0) + 1);
    this.say({ type: 'inputs-pinned', keys: [key] });
  }

  #end(): void {
    const keys = this.running.shift();
    if (keys === undefined) return;
    for (const key of keys) {
      const count = this.pinned.get(key)! - 1;
      if (count === 0) this.pinned.delete(key);
      else this.pinned.set(key, count);
    }
    this.say({ type: 'inputs-unpinned', keys });
  }

  #answerEvictions(isWritten: boolean, part: number, reason: SpillFailureReason): void {
    const ended = [...this.leaving].slice(0, Math.ceil(this.leaving.size * part));
    for (const [key, evictId] of ended) {
      this.leaving.delete(key);
      // What a task has begun to use meanwhile stays.
      if (isWritten && this.pinned.has(key))
        this.say({ type: 'evict-kept', evictId, kept: [{ key, diskBytes: 1 }] });
      else if (isWritten) this.say({ type: 'evict-done', evictId, evicted: [{ key, diskBytes: 1 }] });
      else this.say({ type: 'evict-failed', evictId, keys: [key], reason });
    }
  }

  #answer(): void {
    this.say({ type: 'collected', durationMs: 1 });
    this.say({ type: 'trimmed', durationMs: 1, isSupported: true });
  }
}

test('promises hold after any events: sums, order, what is pinned stays, no storm of instructions', () => {
  fc.assert(
    fc.property(options, fc.array(step, { maxLength: 80 }), (chosen, steps) => {
      const drill = new Drill(chosen);
      for (const one of steps) drill.take(one);
      drill.machine.check();
    }),
    { numRuns: 300 },
  );
});

test('when tasks have ended and the disk works, it comes to rest: below target, open, running, and silent', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const drill = new Drill({});
      for (const one of steps) drill.take(one);
      drill.say({ type: 'limit-changed', limitBytes: 1000 });
      drill.settle(500);

      const { countedBytes, spillDebtBytes } = drill.machine.readings();
      expect(countedBytes).toBeLessThanOrEqual(600);
      expect(spillDebtBytes).toBe(0);
      expect(drill.machine.admission).toBe('open');
      expect(drill.machine.isPaused).toBe(false);
      const saidCount = drill.said.length;
      drill.wait(60_000);
      drill.sample(500);
      expect(drill.said.slice(saidCount)).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test('under pressure that nothing relieves, everything that can leave leaves, and no more is asked for', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const drill = new Drill({ pauseRecycleMs: false });
      for (const one of steps) drill.take(one);
      drill.say({ type: 'limit-changed', limitBytes: 1000 });
      drill.settle(990);
      expect(drill.machine.readings().countedBytes).toBe(0);
      expect(drill.machine.isPaused).toBe(true);
      expect(drill.machine.admission).toBe('open');
    }),
    { numRuns: 100 },
  );
});
