import { aboutBytes, asWorkerId, assertNever, type StimulusId, type WorkerId } from '@spillway/kernel';
import type { DeathCause, Quarantine } from '@spillway/messages';
import type { NannyEvent } from './events.js';
import { exitInstructions, isOnPurpose } from './exit-report.js';
import type { NannyInstruction } from './instructions.js';
import { MemoryWatch, type MemoryRule } from './memory-watch.js';
import type { NannyMachineOptions } from './options.js';
import { quarantine, quarantinesOf, released } from './quarantine.js';
import { DeathHistory } from './restart-policy.js';
import { askToRetire, CLOSEABLE } from './retiring.js';
import { SignsOfLife } from './signs-of-life.js';
import { lifeOf, type Life, type Slot } from './slot.js';
import { deadlineOf, nextLookMs } from './slot-times.js';
import { verdictOf } from './verdict.js';

/** The nanny wakes that much too late on a busy machine; beyond it, it did not run. */
const ABSENCE_MS_MIN = 1000;

/**
 * Keeps one worker process running in each slot: starts them, decides when the next one starts after a death, ends
 * them in order on `stop`, ends those that use too much memory or hang, and gives every death its verdict. Touches no disk.
 *
 * Invariant: a slot has at most one process; `finished` is said once, when no process is left after `stop`.
 */
export class NannyMachine {
  readonly #slots: Slot[];
  #stopping = false;
  #hasRetired = false;
  #finished = false;
  #nowMs = 0;
  #out: NannyInstruction[] = [];
  #rule: MemoryRule;

  constructor(private readonly options: NannyMachineOptions) {
    const { limitBytes, terminateFraction } = options;
    this.#rule = { limitBytes, terminateFraction };
    this.#slots = options.workerNames.map((workerName, index) => ({
      index,
      workerName,
      state: { name: 'empty' },
      lifeCount: 0,
      deaths: new DeathHistory(options),
    }));
  }

  get slots(): readonly Readonly<Slot>[] {
    return this.#slots;
  }

  /** What a scheduler that does not know this nanny yet has to be told. */
  quarantines(nowMs: number): readonly Quarantine[] {
    return quarantinesOf(this.#slots, nowMs);
  }

  get nextWakeMs(): number | undefined {
    let next: number | undefined;
    for (const { state } of this.#slots) {
      const atMs = Math.min(deadlineOf(state) ?? Infinity, nextLookMs(state));
      if (atMs !== Infinity && (next === undefined || atMs < next)) next = atMs;
    }
    return next;
  }

  handle(event: NannyEvent, nowMs: number): NannyInstruction[] {
    this.#discountAbsence(nowMs);
    this.#nowMs = nowMs;
    this.#out = [];
    switch (event.type) {
      case 'start':
        if (this.#stopping) break;
        for (const slot of this.#slots) if (slot.state.name === 'empty') this.#spawn(slot, event.stimulusId);
        break;
      case 'worker-spawned':
        this.#onSpawned(event);
        break;
      case 'worker-ready':
        this.#onReady(event);
        break;
      case 'worker-alive':
        this.#lifeOf(event.workerId)?.signs.onSign(nowMs);
        break;
      case 'worker-recycling':
        this.#onRecycling(event);
        break;
      case 'worker-retired':
        this.#onRetired(event);
        break;
      case 'worker-exited':
        this.#onExited(event);
        break;
      case 'worker-sampled':
        this.#onSampled(event);
        break;
      case 'limit-changed':
        this.#rule = { ...this.#rule, limitBytes: event.limitBytes };
        for (const slot of this.#slots) this.#endIfTooBig(slot, event.stimulusId);
        break;
      case 'restart-worker':
        this.#restart(event);
        break;
      case 'release-worker':
        for (const slot of this.#slots)
          if (slot.workerName === event.workerName) this.#release(slot, event.reason, event.stimulusId);
        break;
      case 'stop':
        this.#stop(event);
        break;
      case 'tick':
        for (const slot of this.#slots) {
          this.#onTick(slot, event.stimulusId);
          this.#look(slot, event.stimulusId);
        }
        break;
      default:
        assertNever(event, 'nanny event');
    }
    return this.#out;
  }

  #spawn(slot: Slot, stimulusId: StimulusId): void {
    slot.lifeCount += 1;
    const workerId = asWorkerId(`${this.options.nannyId}/${slot.index}-${slot.lifeCount}`);
    const life: Life = {
      workerId,
      startedAtMs: this.#nowMs,
      pid: undefined,
      recyclingBecause: undefined,
      retired: undefined,
      memory: new MemoryWatch(this.options.growthBytesPerMs, this.#nowMs),
      signs: new SignsOfLife(this.options.workerTtlMs, this.#nowMs),
    };
    slot.state = { name: 'starting', life, killAtMs: this.#nowMs + this.options.startTimeoutMs };
    this.#out.push({ type: 'spawn-worker', stimulusId, slot: slot.index, workerId, name: slot.workerName });
  }

  #onSpawned({ workerId, pid, stimulusId }: Extract<NannyEvent, { type: 'worker-spawned' }>): void {
    const slot = this.#updateLife(workerId, { pid });
    if (slot === undefined) return;
    this.#out.push(
      {
        type: 'send-to-scheduler',
        message: { type: 'worker-spawned', stimulusId, workerId, name: slot.workerName, pid },
      },
      {
        type: 'log-event',
        stimulusId,
        event: 'worker.spawned',
        level: 'info',
        message: `worker ${slot.workerName} started`,
        fields: { worker: slot.workerName, workerId, pid },
      },
    );
  }

  #onReady({ workerId, stimulusId }: Extract<NannyEvent, { type: 'worker-ready' }>): void {
    const slot = this.#slotOf(workerId);
    if (slot?.state.name !== 'starting') return;
    const { life } = slot.state;
    slot.state = { name: 'running', life };
    life.signs.onSign(this.#nowMs);
    const startMs = Math.round(this.#nowMs - life.startedAtMs);
    this.#out.push({
      type: 'log-event',
      stimulusId,
      event: 'worker.ready',
      level: 'info',
      message: `worker ${slot.workerName} registered ${startMs} ms after its start`,
      fields: { worker: slot.workerName, workerId, startMs },
    });
  }

  /** It closes by itself; one that cannot, because a thread does not end, is killed when its time is over. */
  #onRecycling({ workerId, reason }: Extract<NannyEvent, { type: 'worker-recycling' }>): void {
    const slot = this.#updateLife(workerId, { recyclingBecause: reason });
    if (slot?.state.name !== 'running' && slot?.state.name !== 'starting') return;
    const killAtMs = this.#nowMs + this.options.closeTimeoutMs;
    slot.state = { name: 'closing', life: slot.state.life, killAtMs, reason };
  }

  /** It closes by itself. The nanny ends with its last worker, when there is none to restart. */
  #onRetired({ workerId, reason, leavesValues }: Extract<NannyEvent, { type: 'worker-retired' }>): void {
    const found = this.#slotOf(workerId);
    const isRestart = found?.state.name === 'retiring' && found.state.isRestart;
    const slot = isRestart ? found : this.#updateLife(workerId, { retired: { leavesValues } });
    if (slot === undefined || !('life' in slot.state) || slot.state.name === 'killing') return;
    this.#hasRetired ||= !isRestart;
    const killAtMs = this.#nowMs + this.options.closeTimeoutMs;
    slot.state = { name: 'closing', life: slot.state.life, killAtMs, reason };
  }

  #onExited(event: Extract<NannyEvent, { type: 'worker-exited' }>): void {
    const slot = this.#slotOf(event.workerId);
    if (slot === undefined) return;
    const { stimulusId } = event;
    const verdict = verdictOf(slot, event, this.#rule, this.#nowMs);
    // A worker that ends by itself again and again is as much of a loop when it does so in good order.
    const endedItself = lifeOf(slot)?.recyclingBecause !== undefined || slot.state.name === 'running';
    const isDeath = endedItself || !isOnPurpose(verdict);
    slot.deaths.note({ isDeath, isQuick: isDeath && verdict.livedMs < this.options.stableMs }, this.#nowMs);
    const retired = lifeOf(slot)?.retired;
    const isForGood = this.#stopping || retired !== undefined;
    const tooMany = isForGood ? undefined : slot.deaths.tooMany(this.#nowMs);
    const restartInMs = isForGood || tooMany !== undefined ? false : slot.deaths.restMs;
    const leavesValues = this.options.adopts && (retired?.leavesValues ?? restartInMs !== false);
    this.#out.push(...exitInstructions(verdict, { restartInMs, leavesValues, stimulusId }));
    if (tooMany !== undefined)
      this.#out.push(...quarantine(slot, { ...tooMany, verdict }, this.#moment(stimulusId)));
    else if (restartInMs === false) slot.state = { name: 'empty' };
    else if (restartInMs === 0) this.#spawn(slot, stimulusId);
    else slot.state = { name: 'resting', startAtMs: this.#nowMs + restartInMs };
    this.#finishWhenEmpty(stimulusId);
  }

  #askToClose(slot: Slot | undefined, reason: string, stimulusId: StimulusId): void {
    if (slot === undefined || !CLOSEABLE.has(slot.state.name) || !('life' in slot.state)) return;
    const { life } = slot.state;
    slot.state = { name: 'closing', life, killAtMs: this.#nowMs + this.options.closeTimeoutMs, reason };
    this.#out.push({
      type: 'ask-worker-to-close',
      stimulusId,
      slot: slot.index,
      workerId: life.workerId,
      reason,
      leavesValues: this.options.adopts && !this.#stopping,
    });
  }

  /** What it runs may end first. One that has not registered has nothing to end. */
  #restart({ workerId, reason, stimulusId }: Extract<NannyEvent, { type: 'restart-worker' }>): void {
    const slot = this.#slotOf(workerId);
    const { restartDrainMs: retireMs, adopts } = this.options;
    if (slot?.state.name === 'running' && retireMs > 0 && !this.#stopping)
      this.#out.push(
        askToRetire(
          slot,
          slot.state.life,
          { reason, stimulusId, retireMs, isRestart: true, adopts },
          this.#nowMs,
        ),
      );
    else if (slot?.state.name !== 'retiring') this.#askToClose(slot, reason, stimulusId);
  }

  #stop({ reason, stimulusId, retireMs }: Extract<NannyEvent, { type: 'stop' }>): void {
    if (this.#stopping) {
      if (retireMs !== undefined) return;
      for (const slot of this.#slots)
        if (slot.state.name === 'retiring') this.#askToClose(slot, reason, stimulusId);
      return;
    }
    this.#stopping = true;
    this.#out.push({ type: 'send-to-scheduler', message: { type: 'nanny-closing', stimulusId } });
    for (const slot of this.#slots)
      if (slot.state.name === 'resting' || slot.state.name === 'quarantined') slot.state = { name: 'empty' };
      else if (slot.state.name === 'retiring') slot.state = { ...slot.state, isRestart: false };
      else if (slot.state.name === 'running' && retireMs !== undefined)
        this.#out.push(
          askToRetire(
            slot,
            slot.state.life,
            { reason, stimulusId, retireMs, isRestart: false, adopts: false },
            this.#nowMs,
          ),
        );
      else this.#askToClose(slot, reason, stimulusId);
    this.#finishWhenEmpty(stimulusId);
  }

  #onTick(slot: Slot, stimulusId: StimulusId): void {
    const { state } = slot;
    const deadlineMs = deadlineOf(state);
    if (deadlineMs === undefined || this.#nowMs < deadlineMs) return;
    if (state.name === 'resting') this.#spawn(slot, stimulusId);
    if (state.name === 'quarantined') this.#release(slot, 'its time is over', stimulusId);
    if (state.name === 'running') this.#endHung(slot, state.life, stimulusId);
    if (state.name === 'retiring') this.#askToClose(slot, state.reason, stimulusId);
    if (state.name === 'closing') {
      const why = `did not close within ${this.options.closeTimeoutMs} ms`;
      this.#kill(slot, state.life, { why, cause: { kind: 'recycled', reason: state.reason } }, stimulusId);
    }
    if (state.name === 'starting') {
      const why = `did not register within ${this.options.startTimeoutMs} ms`;
      this.#kill(
        slot,
        state.life,
        { why, cause: { kind: 'start-failed', message: `it ${why}` } },
        stimulusId,
      );
    }
  }

  /** SIGKILL at once: what does not turn does not hear anything else. */
  #endHung(slot: Slot, life: Life, stimulusId: StimulusId): void {
    const { workerTtlMs } = this.options;
    if (workerTtlMs === false) return;
    const silentMs = Math.round(life.signs.silentMs(this.#nowMs));
    const why = `gave no sign of life for ${silentMs} ms`;
    this.#kill(slot, life, { why, cause: { kind: 'hung', silentMs, ttlMs: workerTtlMs } }, stimulusId);
  }

  /** An event that comes long after a wake that was wanted: until then the nanny itself did not run. */
  #discountAbsence(nowMs: number): void {
    const dueMs = Math.max(this.nextWakeMs ?? Infinity, this.#nowMs);
    const absentMs = nowMs - dueMs;
    if (absentMs < ABSENCE_MS_MIN || dueMs === Infinity) return;
    for (const slot of this.#slots) lifeOf(slot)?.signs.discount(absentMs);
  }

  /** The next worker starts at once, with a clean record. */
  #release(slot: Slot, reason: string, stimulusId: StimulusId): void {
    if (slot.state.name !== 'quarantined') return;
    slot.deaths.forget();
    this.#out.push(...released(slot, reason, stimulusId));
    this.#spawn(slot, stimulusId);
  }

  #look(slot: Slot, stimulusId: StimulusId): void {
    const life = lifeOf(slot);
    if (life?.pid === undefined || this.#nowMs < nextLookMs(slot.state)) return;
    life.memory.onAsked();
    this.#out.push({ type: 'sample-worker', stimulusId, workerId: life.workerId, pid: life.pid });
  }

  #onSampled({ workerId, processBytes, stimulusId }: Extract<NannyEvent, { type: 'worker-sampled' }>): void {
    const slot = this.#slotOf(workerId);
    if (slot === undefined) return;
    lifeOf(slot)?.memory.onSample(processBytes, this.#rule, this.#nowMs);
    this.#endIfTooBig(slot, stimulusId);
  }

  /** The founding document's terminate. SIGKILL at once: a process that allocates in a loop answers nothing else. */
  #endIfTooBig(slot: Slot, stimulusId: StimulusId): void {
    const life = lifeOf(slot);
    const { limitBytes } = this.#rule;
    const tooMuch = life?.memory.tooMuch(this.#rule);
    if (life === undefined || tooMuch === undefined || limitBytes === false) return;
    if (slot.state.name === 'killing') return;
    const why = `has ${aboutBytes(tooMuch.processBytes)} of process memory, above ${aboutBytes(tooMuch.terminateBytes)} of ${aboutBytes(limitBytes)},`;
    this.#kill(slot, life, { why, cause: { kind: 'memory-limit', ...tooMuch, limitBytes } }, stimulusId);
  }

  #kill(
    slot: Slot,
    life: Life,
    { why, cause }: { readonly why: string; readonly cause: DeathCause },
    stimulusId: StimulusId,
  ): void {
    slot.state = { name: 'killing', life, cause };
    const { workerId } = life;
    this.#out.push(
      { type: 'kill-worker', stimulusId, slot: slot.index, workerId },
      {
        type: 'log-event',
        stimulusId,
        event: 'worker.killed',
        level: 'warn',
        message: `worker ${slot.workerName} ${why} and was killed`,
        fields: { worker: slot.workerName, workerId, cause: cause.kind },
      },
    );
  }

  #moment(stimulusId: StimulusId): Parameters<typeof quarantine>[2] {
    return { stimulusId, nowMs: this.#nowMs, releaseMs: this.options.quarantineReleaseMs };
  }

  #finishWhenEmpty(stimulusId: StimulusId): void {
    if (
      !(this.#stopping || this.#hasRetired) ||
      this.#finished ||
      this.#slots.some(({ state }) => state.name !== 'empty')
    )
      return;
    this.#finished = true;
    this.#out.push({ type: 'finished', stimulusId });
  }

  #slotOf(workerId: WorkerId): Slot | undefined {
    return this.#slots.find((slot) => lifeOf(slot)?.workerId === workerId);
  }

  #lifeOf(workerId: WorkerId): Life | undefined {
    const slot = this.#slotOf(workerId);
    return slot === undefined ? undefined : lifeOf(slot);
  }

  #updateLife(workerId: WorkerId, change: Partial<Life>): Slot | undefined {
    const slot = this.#slotOf(workerId);
    if (slot === undefined || !('life' in slot.state)) return undefined;
    slot.state = { ...slot.state, life: { ...slot.state.life, ...change } };
    return slot;
  }
}
