/** Short ways to make a memory machine and its events, for specs, golden scripts and the simulator. */
import { asStimulusId, asTaskKey, type TaskKey } from '@spillway/kernel';
import type { MemoryHappening } from '../events.js';
import type { MemoryInstruction } from '../instructions.js';
import { MemoryMachine } from '../memory-machine.js';
import { DEFAULT_MEMORY_OPTIONS, type MemoryMachineOptions } from '../options.js';

export const keysOf = (names: readonly string[]): TaskKey[] => names.map((name) => asTaskKey(name));

/** The default thresholds, of a limit of 1000 bytes unless told otherwise. */
export const aMemoryMachine = (options: Partial<MemoryMachineOptions> = {}): MemoryMachine =>
  new MemoryMachine({ ...DEFAULT_MEMORY_OPTIONS, limitBytes: 1000, ...options });

/** A machine with a clock that moves when told to, and that checks itself after every event. */
export class Rehearsal {
  readonly machine: MemoryMachine;
  nowMs = 0;
  #eventCount = 0;
  /** Every instruction so far. */
  readonly said: MemoryInstruction[] = [];

  constructor(options: Partial<MemoryMachineOptions> = {}) {
    this.machine = aMemoryMachine(options);
  }

  say(happening: MemoryHappening): MemoryInstruction[] {
    const stimulusId = asStimulusId(`event-${++this.#eventCount}`);
    const instructions = this.machine.handle({ ...happening, stimulusId }, this.nowMs);
    this.machine.check();
    this.said.push(...instructions);
    return instructions;
  }

  /** Lets time pass, with a tick whenever the machine asked for one. */
  wait(forMs: number): MemoryInstruction[] {
    const untilMs = this.nowMs + forMs;
    const instructions: MemoryInstruction[] = [];
    for (;;) {
      const wakeMs = this.machine.nextWakeMs;
      if (wakeMs === undefined || wakeMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs, wakeMs);
      instructions.push(...this.say({ type: 'tick' }));
    }
    this.nowMs = untilMs;
    return instructions;
  }

  store(name: string, nbytes: number): MemoryInstruction[] {
    return this.say({ type: 'value-stored', key: asTaskKey(name), nbytes });
  }

  sample(
    processBytes: number,
    rest: Omit<Extract<MemoryHappening, { type: 'memory-sampled' }>, 'type' | 'processBytes'> = {},
  ): MemoryInstruction[] {
    return this.say({ type: 'memory-sampled', processBytes, ...rest });
  }

  /** Carries an `evict` out. */
  evicted(evict: Extract<MemoryInstruction, { type: 'evict' }>): MemoryInstruction[] {
    const evicted = evict.keys.map((key) => ({ key, diskBytes: 1 }));
    return this.say({ type: 'evict-done', evictId: evict.evictId, evicted });
  }

  /** Climbs the reclaim ladder to its end: process memory is then as given. */
  climb(processBytes: number, rest: Parameters<Rehearsal['sample']>[1] = {}): MemoryInstruction[] {
    this.say({ type: 'collected', durationMs: 1 });
    this.say({ type: 'trimmed', durationMs: 1, isSupported: true });
    this.wait(100);
    return this.sample(processBytes, rest);
  }
}

export function asked<Type extends MemoryInstruction['type']>(
  instructions: readonly MemoryInstruction[],
  type: Type,
): Extract<MemoryInstruction, { type: Type }>[] {
  return instructions.filter(
    (instruction): instruction is Extract<MemoryInstruction, { type: Type }> => instruction.type === type,
  );
}

/** The keys that the instructions ask to be evicted. */
export const evictedKeys = (instructions: readonly MemoryInstruction[]): string[] =>
  asked(instructions, 'evict').flatMap(({ keys }) => keys);
