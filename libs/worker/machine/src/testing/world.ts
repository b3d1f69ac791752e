/**
 * The surroundings of one worker machine, for property tests: a scheduler that assigns and takes back, peers, threads that
 * run one task after the other, and a store. It performs instructions by remembering them; outcomes are given in any order
 * the test likes. After each event it checks what the machine says against what the world knows:
 * store = memory, one attempt a key, one gather a peer, inputs present at the start, and one answer a run.
 * Not: values, time (the test moves it).
 */
import { assert, assertNever, must, type RunId, type TaskKey, type WorkerId } from '@spillway/kernel';
import type { WorkerToScheduler } from '@spillway/messages';
import type { Admission, WorkerEvent } from '../events.js';
import type { WorkerInstruction } from '../instructions.js';
import { DEFAULT_LIMITS, type WorkerMachineOptions } from '../options.js';
import type { WorkerMachine } from '../worker-machine.js';
import { aWorker } from './builders.js';

/** Of values that nobody was asked for. */
const UNKNOWN = -1;

export interface RunningAttempt {
  readonly key: TaskKey;
  readonly runId: RunId;
  readonly generation: number;
  stop: 'cancelled' | 'timeout' | 'out-of-memory' | undefined;
}

export interface RunningGather {
  readonly peerId: WorkerId;
  readonly keys: readonly { readonly key: TaskKey; readonly nbytes: number; readonly generation: number }[];
}

/** How a run that was assigned stands: `open` until it is answered or taken back. */
export type RunFate = 'open' | 'answered' | 'taken-back';

export class World {
  readonly machine: WorkerMachine;
  nowMs = 0;
  /** Keys with the generation of their value: a key that was freed may come back with another content. */
  readonly store = new Map<TaskKey, number>();
  readonly threads: RunningAttempt[][];
  readonly gathers = new Map<WorkerId, RunningGather>();
  readonly fates = new Map<RunId, { readonly key: TaskKey; fate: RunFate }>();
  /** Keys the machine has asked about since they were last answered. */
  readonly asked = new Set<TaskKey>();
  /** Keys that the worker has told the scheduler to be here. */
  readonly announced = new Set<TaskKey>();
  /** When values were put here: for a while it is up to whoever put them to tell the scheduler. */
  readonly #putAtMs = new Map<TaskKey, number>();
  isRecycled = false;
  #admission: Admission = 'open';
  #roomBytes: number | false = false;
  readonly #expectedBytes = new Map<RunId, number>();
  /** Runs that free memory. */
  readonly #startAnyway = new Set<RunId>();
  readonly #generations = new Map<TaskKey, number>();
  #ending: { readonly generation?: number; readonly keys?: RunningGather['keys'] } | undefined;

  constructor(readonly options: Partial<WorkerMachineOptions>) {
    this.machine = aWorker(options);
    this.threads = Array.from({ length: options.slotCount ?? 1 }, () => []);
  }

  /** Hands over an event, performs what comes of it and checks everything. */
  handle(event: WorkerEvent): readonly WorkerInstruction[] {
    this.#foresee(event);
    this.#ending = undefined;
    const instructions = this.machine.handle(event, this.nowMs);
    for (const instruction of instructions) {
      if ('stimulusId' in instruction) assert(instruction.stimulusId === event.stimulusId, 'lost its cause');
      this.#perform(instruction);
    }
    this.#check(event);
    return instructions;
  }

  openRuns(): { key: TaskKey; runId: RunId }[] {
    return [...this.fates]
      .filter(([, { fate }]) => fate === 'open')
      .map(([runId, { key }]) => ({ key, runId }));
  }

  /** Removes an attempt from its thread: the next event is its outcome. */
  endAttempt(slot: number, index: number): RunningAttempt {
    const [attempt] = must(this.threads[slot], 'thread').splice(index, 1);
    const ended = must(attempt, 'attempt');
    this.#ending = ended;
    return ended;
  }

  /** Removes a gather: the next event is its outcome. */
  endGather(gather: RunningGather): void {
    this.gathers.delete(gather.peerId);
    this.#ending = gather;
  }

  /** What an event means for the store and for the scheduler's book, before the machine hears of it. */
  #foresee(event: WorkerEvent): void {
    switch (event.type) {
      case 'compute-task':
        this.#takeBack(event.spec.key);
        this.fates.set(event.runId, { key: event.spec.key, fate: 'open' });
        if (event.evenIfPaused === true) this.#startAnyway.add(event.runId);
        this.#expectedBytes.set(event.runId, event.expectedBytes ?? 0);
        return;
      case 'set-admission':
        this.#admission = event.admission;
        return;
      case 'set-room':
        this.#roomBytes = event.roomBytes;
        return;
      case 'free-keys':
        for (const key of event.keys) {
          this.#takeBack(key);
          this.announced.delete(key);
          this.#putAtMs.delete(key);
          this.#generations.set(key, this.#generationOf(key) + 1);
        }
        return;
      case 'values-lost':
        for (const key of event.keys) this.announced.delete(key);
        return;
      case 'cancel-task':
        if (this.fates.get(event.runId)?.key === event.key) this.#takeBackRun(event.runId);
        return;
      case 'session-lost':
        for (const runId of this.fates.keys()) if (!this.#goesOn(runId)) this.#takeBackRun(runId);
        // The next session begins by telling of everything that is here.
        for (const key of this.store.keys()) this.announced.add(key);
        return;
      case 'refresh-who-has':
        for (const { key } of event.dependencies) this.asked.delete(key);
        return;
      case 'data-put':
        if (!this.store.has(event.key)) this.#putAtMs.set(event.key, this.nowMs);
        this.#put(event.key, this.#generationOf(event.key));
        return;
      case 'values-adopted':
        for (const { key } of event.values) {
          this.#put(key, this.#generationOf(key));
          this.announced.add(key);
        }
        return;
      case 'execute-success':
        this.#put(event.key, this.#ending?.generation ?? UNKNOWN);
        return;
      case 'gather-success':
      case 'gather-network-failure':
        for (const { key } of event.arrived) {
          this.#put(key, this.#ending?.keys?.find((asked) => asked.key === key)?.generation ?? UNKNOWN);
        }
        return;
      default:
        return;
    }
  }

  /** A key that is there already keeps its value, as in the real store. */
  #put(key: TaskKey, generation: number): void {
    if (!this.store.has(key)) this.store.set(key, generation);
  }

  #generationOf(key: TaskKey): number {
    return this.#generations.get(key) ?? 0;
  }

  #takeBack(key: TaskKey): void {
    for (const [runId, run] of this.fates) if (run.key === key) this.#takeBackRun(runId);
  }

  /** In a thread, and not told to stop because nobody wants it. */
  #goesOn(runId: RunId): boolean {
    return this.threads.flat().some((attempt) => attempt.runId === runId && attempt.stop !== 'cancelled');
  }

  #takeBackRun(runId: RunId): void {
    const run = this.fates.get(runId);
    if (run?.fate === 'open') run.fate = 'taken-back';
  }

  #perform(instruction: WorkerInstruction): void {
    switch (instruction.type) {
      case 'execute':
        this.#startExecution(instruction);
        return;
      case 'stop-execution':
        this.#stopExecution(instruction);
        return;
      case 'gather-dependencies':
        assert(this.machine.status === 'running', 'gathers while it should not');
        assert(!this.gathers.has(instruction.peerId), `two gathers of ${instruction.peerId}`);
        assert(instruction.keys.length > 0, 'gathers nothing');
        this.gathers.set(instruction.peerId, {
          peerId: instruction.peerId,
          keys: instruction.keys.map((each) => ({ ...each, generation: this.#generationOf(each.key) })),
        });
        return;
      case 'free-values':
        for (const key of instruction.keys) {
          assert(this.store.delete(key), `frees ${key}, which is not in the store`);
        }
        return;
      case 'send-to-scheduler':
        this.#hear(instruction.message);
        return;
      case 'recycle-worker':
        this.isRecycled = true;
        return;
      case 'forget-peer':
        return;
      default:
        assertNever(instruction, 'instruction');
    }
  }

  #startExecution({ slot, key, runId, spec }: Extract<WorkerInstruction, { type: 'execute' }>): void {
    assert(this.#mayStart(runId), `starts ${key} while it should not`);
    assert(this.fates.get(runId)?.fate === 'open', `starts ${key} for nobody`);
    for (const thread of this.threads)
      assert(!thread.some((attempt) => attempt.key === key), `starts ${key} twice at the same time`);
    for (const input of spec.dependencies) assert(this.store.has(input), `starts ${key} without ${input}`);
    must(this.threads[slot], 'thread').push({
      key,
      runId,
      generation: this.#generationOf(key),
      stop: undefined,
    });
  }

  #mayStart(runId: RunId): boolean {
    if (this.isRecycled || this.machine.status === 'retiring') return false;
    if (this.#startAnyway.has(runId)) return true;
    if (this.machine.status === 'paused' || this.#admission === 'closed') return false;
    if (this.threads.every((thread) => thread.length === 0)) return true;
    return this.#admission === 'open' && this.#hasRoomFor(runId);
  }

  #hasRoomFor(runId: RunId): boolean {
    const bytesOf = (each: RunId): number => this.#expectedBytes.get(each) ?? 0;
    if (this.#roomBytes === false || bytesOf(runId) === 0) return true;
    const runningBytes = this.threads.flat().reduce((sum, attempt) => sum + bytesOf(attempt.runId), 0);
    return 2 * (runningBytes + bytesOf(runId)) <= this.#roomBytes;
  }

  #stopExecution({ slot, key, runId, reason }: Extract<WorkerInstruction, { type: 'stop-execution' }>): void {
    const attempt = this.threads[slot]?.find((held) => held.key === key && held.runId === runId);
    assert(attempt !== undefined, `stops ${key}, which is not in slot ${slot}`);
    assert(attempt.stop === undefined, `stops ${key} twice`);
    attempt.stop = reason;
  }

  #hear(message: WorkerToScheduler): void {
    switch (message.type) {
      case 'task-finished':
        this.announced.add(message.key);
        this.#answer(message.key, message.runId);
        return;
      case 'task-erred':
      case 'task-handed-back':
        this.#answer(message.key, message.runId);
        return;
      case 'replicas-added':
        for (const { key } of message.replicas) {
          assert(this.store.has(key), `announces ${key}, which is not in the store`);
          this.announced.add(key);
        }
        return;
      case 'request-who-has':
        for (const key of message.keys) this.asked.add(key);
        return;
      default:
        return;
    }
  }

  #answer(key: TaskKey, runId: RunId): void {
    const run = this.fates.get(runId);
    assert(run?.key === key, `answers run ${runId} of ${key}, which was never assigned`);
    assert(run.fate === 'open', `answers run ${runId} of ${key}, which is ${run.fate} already`);
    run.fate = 'answered';
  }

  #isAnnounced(key: TaskKey): boolean {
    const { putAnnounceMs = DEFAULT_LIMITS.putAnnounceMs } = this.options;
    return this.announced.has(key) || this.nowMs < (this.#putAtMs.get(key) ?? -Infinity) + putAnnounceMs;
  }

  #check(event: WorkerEvent): void {
    this.machine.check();
    const held = new Set(this.machine.holdings().map(({ key }) => key));
    assert(held.size === this.store.size, `memory and store differ after ${event.type}`);
    for (const key of held) {
      assert(this.store.has(key), `${key} is in memory and not in the store`);
      assert(this.#isAnnounced(key), `${key} is in memory and the scheduler does not know`);
      assert(this.store.get(key) === this.#generationOf(key), `${key} is in memory with a value of the past`);
    }
    for (const { key, fate } of this.fates.values()) {
      if (fate !== 'open') continue;
      const state = this.machine.stateOf(key);
      assert(
        state === 'waiting' || state === 'ready' || state === 'executing',
        `a run of ${key} is open while the key is ${String(state)}`,
      );
    }
    const wakeMs = this.machine.nextWakeMs;
    assert(event.type !== 'tick' || wakeMs === undefined || wakeMs > this.nowMs, 'a tick changes nothing');
  }
}
