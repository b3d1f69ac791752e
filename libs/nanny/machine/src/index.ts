export { NannyMachine } from './nanny-machine.js';
export type { NannyMachineOptions } from './options.js';
export type * from './events.js';
export type * from './instructions.js';
export type { Slot, SlotState, Life } from './slot.js';
