import { asStimulusId } from '@spillway/kernel';
import type { Dependency } from '@spillway/messages';
import fc from 'fast-check';
import type { WorkerEvent } from './events.js';
import * as build from './testing/builders.js';
import { TRANSITIONS } from './transitions/index.js';
import { World, type RunningAttempt, type RunningGather } from './testing/world.js';

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const PEERS = ['p', 'q', 'r'] as const;
const HANDOVER_MS = 5;

/** Draws from numbers that fast-check made, so that a failing sequence can be made smaller. */
class Choices {
  #index = 0;
  constructor(private readonly numbers: readonly number[]) {}
  get isOver(): boolean {
    return this.#index >= this.numbers.length;
  }
  below(limit: number): number {
    return (this.numbers[this.#index++] ?? 0) % limit;
  }
  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
  some<T>(items: readonly T[]): T[] {
    const mask = this.below(2 ** items.length);
    return items.filter((_, index) => (mask & (1 << index)) !== 0);
  }
}

class Conductor {
  readonly world: World;
  #nextRunId = 1;
  #eventCount = 0;

  constructor(private readonly choices: Choices) {
    this.world = new World({
      slotCount: 1 + choices.below(2),
      transferBytesMax: choices.below(2) === 0 ? false : 25,
      gatherMessageBytesMax: 20,
      gatherPeersMax: 2,
      putAnnounceMs: 500,
      handOverMs: HANDOVER_MS,
      handOverCountMax: 3,
      erredTasksMax: 2,
      storyEntriesMax: 1000,
      seed: choices.below(100),
      validate: false,
    });
    this.tell(build.valuesAdopted(Object.fromEntries(choices.some(KEYS).map((key) => [key, 10]))));
  }

  tell(event: WorkerEvent): void {
    this.world.handle({ ...event, stimulusId: asStimulusId(`event-${++this.#eventCount}`) });
  }

  step(): void {
    const { choices } = this;
    const kind = choices.below(100);
    if (kind < 26) this.assign();
    else if (kind < 52) this.endSomeAttempt();
    else if (kind < 66) this.endSomeGather();
    else if (kind < 72) this.tell(build.freeKeys(...choices.some(KEYS)));
    else if (kind < 77) this.cancelSome();
    else if (kind < 81) this.tell(build.acquireReplicas(this.dependency(choices.of(KEYS))));
    else if (kind < 85) this.tell(build.refreshWhoHas(this.dependency(choices.of(KEYS))));
    else if (kind < 87) this.tell(build.peerLost(choices.of(PEERS)));
    else if (kind < 89) this.tell(build.dataPut(choices.of(KEYS), choices.below(30)));
    else if (kind < 92)
      this.tell(
        choices.below(20) === 0
          ? build.retireWorker()
          : build.statusChange(choices.of(['running', 'running', 'paused', 'retiring'])),
      );
    else if (kind < 93) this.press();
    else if (kind < 94) this.stale();
    else if (kind < 95) this.tell(build.runawayGrowth(choices.below(2)));
    else if (kind < 96) this.interrupt();
    else if (kind < 97) this.tell(build.limitChanged(choices.of([false, 5, 25, 60])));
    else this.pass(choices.of([1, 10, 200, 2000]));
  }

  /** What memory pressure brings. */
  press(): void {
    const { choices } = this;
    const kind = choices.below(5);
    if (kind === 0) this.tell(build.handBackUnstarted());
    else if (kind === 1) this.tell(build.valuesLost(...choices.some(KEYS)));
    else if (kind === 2) this.tell(build.setRoom(choices.of([false, 0, 40, 100])));
    else this.tell(build.setAdmission(choices.of(['open', 'open', 'one-at-a-time', 'closed'])));
  }

  assign(): void {
    const { choices } = this;
    const key = choices.of(KEYS);
    // Smaller keys only: a graph has no circles.
    const inputs = choices.below(2) === 0 ? [] : choices.some(KEYS).filter((input) => input < key);
    const expectedMs = choices.of([undefined, 1, 2, 9]);
    this.tell(
      build.computeTask(key, {
        runId: this.#nextRunId++,
        priority: [0, 0, choices.below(3)],
        timeoutMs: choices.of([false, false, 100]),
        dependencies: inputs.map((input) => this.dependency(input)),
        ...(expectedMs === undefined ? {} : { expectedMs }),
        expectedBytes: choices.of([0, 0, 10, 30]),
        evenIfPaused: choices.below(10) === 0,
      }),
    );
  }

  dependency(key: string): Dependency {
    // Now and then the scheduler believes wrongly that the value is here.
    const holders: string[] = this.choices.some(PEERS);
    if (this.choices.below(8) === 0) holders.push('me');
    return build.aDependency(key, holders, 1 + this.choices.below(30));
  }

  cancelSome(): void {
    const open = this.world.openRuns();
    if (open.length === 0) this.tell(build.cancelTask(this.choices.of(KEYS), this.choices.below(9)));
    else {
      const { key, runId } = this.choices.of(open);
      this.tell(build.cancelTask(key, runId));
    }
  }

  endSomeAttempt(): void {
    const busy = this.world.threads.flatMap((thread, slot) => (thread.length > 0 ? [slot] : []));
    if (busy.length === 0) return;
    const slot = this.choices.of(busy);
    const thread = this.world.threads[slot] ?? [];
    // What has not started can only end when it was told to stop.
    const stopped = thread.findIndex((attempt, index) => index > 0 && attempt.stop !== undefined);
    if (stopped > 0 && this.choices.below(2) === 0) {
      const attempt = this.world.endAttempt(slot, stopped);
      this.tell(
        build.executeStopped(attempt.key, attempt.stop ?? 'cancelled', { ...attempt, started: false }),
      );
    } else if (this.choices.below(8) === 0) this.endThread(slot);
    else this.endHead(this.world.endAttempt(slot, 0));
  }

  endHead(head: RunningAttempt): void {
    const { key, runId, stop } = head;
    if (stop !== undefined && this.choices.below(3) > 0) {
      this.tell(build.executeStopped(key, stop, { runId, started: true }));
    } else if (this.choices.below(4) === 0) {
      this.tell(build.executeFailure(key, { runId, mayRetry: this.choices.below(2) === 0 }));
    } else this.tell(build.executeSuccess(key, { runId, nbytes: this.choices.below(30) }));
  }

  /** The head ends in one way or another, and everything behind it loses its thread. */
  endThread(slot: number): void {
    const thread = this.world.threads[slot] ?? [];
    const [head, ...behind] = thread.splice(0);
    if (head === undefined) return;
    const isStarted = this.choices.below(2) === 0;
    this.tell(build.executeStopped(head.key, head.stop ?? 'thread-ended', { ...head, started: isStarted }));
    for (const attempt of behind) {
      this.tell(build.executeStopped(attempt.key, 'thread-ended', { ...attempt, started: false }));
    }
  }

  endSomeGather(): void {
    const gathers = [...this.world.gathers.values()];
    if (gathers.length === 0) return;
    const gather = this.choices.of(gathers);
    this.world.endGather(gather);
    const arrived = Object.fromEntries(
      this.choices.some(gather.keys).map(({ key, nbytes }) => [key, nbytes]),
    );
    const kind = this.choices.below(4);
    if (kind === 0) this.tell(build.gatherBusy(gather.peerId));
    else if (kind === 1) this.tell(build.gatherNetworkFailure(gather.peerId, arrived));
    else this.tell(build.gatherSuccess(gather.peerId, arrived, missingOf(gather, arrived)));
  }

  /** Outcomes of what nobody remembers. */
  stale(): void {
    const key = this.choices.of(KEYS);
    const runId = 1_000_000 + this.choices.below(3);
    const kind = this.choices.below(4);
    if (kind === 0) this.tell(build.executeSuccess(key, { runId }));
    else if (kind === 1) this.tell(build.executeFailure(key, { runId }));
    else if (kind === 2) this.tell(build.executeStopped(key, 'cancelled', { runId }));
    else this.tell(build.gatherSuccess('unknown', { [key]: 10 }));
  }

  interrupt(): void {
    if (this.choices.below(2) === 0) {
      this.tell(build.sessionLost());
      this.tell(build.sessionBegun());
      return;
    }
    const slot = this.world.threads.findIndex(([head]) => head?.stop !== undefined);
    const head = this.world.threads[slot]?.[0];
    if (head !== undefined) this.tell(build.slotStuck(slot, head.key));
  }

  pass(ms: number): void {
    this.world.nowMs += ms;
    this.tell(build.tick());
  }

  /** Everything goes well from here on: the machine must come to rest with every run answered. */
  drain(): void {
    const { world } = this;
    this.tell(build.statusChange('running'));
    this.tell(build.setAdmission('open'));
    this.tell(build.setRoom(this.choices.of([false, 0])));
    for (let round = 0; round < 200; round++) {
      const wasQuiet = this.#drainOnce();
      if (wasQuiet && world.machine.nextWakeMs === undefined) break;
      const wakeMs = world.machine.nextWakeMs;
      if (wakeMs !== undefined && wakeMs > world.nowMs) world.nowMs = wakeMs;
      this.tell(build.tick());
    }
    expect(world.openRuns()).toEqual([]);
    // A process that is about to be replaced fetches nothing more; nobody relies on what it has begun.
    if (world.isRecycled) return;
    const { memory, erred, ...unfinished } = world.machine.countsByState();
    // Copies that one which retires was to fetch it does not fetch any more.
    const fetch = world.machine.status === 'retiring' ? unfinished.fetch : 0;
    expect({ unfinished, isBounded: memory <= KEYS.length && erred <= 2 }).toEqual({
      unfinished: { released: 0, waiting: 0, fetch, flight: 0, ready: 0, executing: 0 },
      isBounded: true,
    });
  }

  #drainOnce(): boolean {
    const { world } = this;
    let isQuiet = true;
    for (const gather of [...world.gathers.values()]) {
      isQuiet = false;
      world.endGather(gather);
      const arrived = Object.fromEntries(gather.keys.map(({ key, nbytes }) => [key, nbytes]));
      this.tell(build.gatherSuccess(gather.peerId, arrived));
    }
    for (const key of [...world.asked]) {
      isQuiet = false;
      this.tell(build.refreshWhoHas(build.aDependency(key, ['p', 'q'])));
    }
    for (const [slot, thread] of world.threads.entries()) {
      if (thread.length === 0) continue;
      isQuiet = false;
      const { key, runId, stop } = world.endAttempt(slot, 0);
      if (stop === undefined) this.tell(build.executeSuccess(key, { runId }));
      else this.tell(build.executeStopped(key, stop, { runId }));
    }
    return isQuiet;
  }
}

function missingOf(gather: RunningGather, arrived: Readonly<Record<string, number>>): string[] {
  return gather.keys.map(({ key }) => key).filter((key) => !Object.hasOwn(arrived, key));
}

describe('any order of events', () => {
  test('keeps every invariant, answers each run once and comes to rest', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 20, maxLength: 300, size: 'max' }), (numbers) => {
        const choices = new Choices(numbers);
        const conductor = new Conductor(choices);
        while (!choices.isOver) conductor.step();
        conductor.drain();
        for (const { from, to } of conductor.world.machine.story()) seen.add(`${from}>${to}`);
      }),
      { numRuns: 10_000 },
    );
    // The sequences are worth something only if they go everywhere.
    const edges = Object.entries(TRANSITIONS).flatMap(([from, row]) =>
      Object.keys(row).map((to) => `${from}>${to}`),
    );
    expect(edges.filter((edge) => !seen.has(edge))).toEqual([]);
  });

  test('is decided by the events and the seed alone', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 50, maxLength: 300, size: 'max' }), (numbers) => {
        const [first, second] = [new Choices(numbers), new Choices(numbers)].map((choices) => {
          const conductor = new Conductor(choices);
          while (!choices.isOver) conductor.step();
          return conductor.world.machine.story();
        });
        expect(first).toEqual(second);
      }),
      { numRuns: 200 },
    );
  });
});
