export type * from './events.js';
export type * from './instructions.js';
export { SchedulerMachine } from './scheduler-machine.js';
export type { SchedulerMachineOptions } from './options.js';
export { transitionPairs } from './transitions/index.js';
