export { NannyMachine, type NannyMachineOptions } from './nanny-machine.js';
export type * from './events.js';
export type * from './instructions.js';
export type { Slot, SlotState, Life } from './slot.js';
