/** A machine in a test: events without times and causes, instructions as lines. Ends with a whole machine or throws. */
import { asTaskKey } from '@spillway/kernel';
import type { WorkerEvent } from '../events.js';
import type { WorkerInstruction } from '../instructions.js';
import type { WorkerMachine } from '../worker-machine.js';
import { tick } from './builders.js';
import { describeInstruction } from './describe.js';

export class Rehearsal {
  nowMs = 0;

  constructor(readonly machine: WorkerMachine) {}

  /** What came of these events together, one line an instruction. */
  tell(...events: readonly WorkerEvent[]): string[] {
    return this.instructions(...events).map(describeInstruction);
  }

  instructions(...events: readonly WorkerEvent[]): WorkerInstruction[] {
    const instructions = events.flatMap((event) => this.machine.handle(event, this.nowMs));
    this.machine.check();
    return instructions;
  }

  /** Lets time pass and wakes the machine. */
  wait(ms: number): string[] {
    this.nowMs += ms;
    return this.tell(tick());
  }

  state(key: string): string | undefined {
    return this.machine.stateOf(asTaskKey(key));
  }
}
