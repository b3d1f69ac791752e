export type * from './events.js';
export type * from './instructions.js';
export { DEFAULT_LIMITS, type WorkerMachineOptions } from './options.js';
export { transitionPairs } from './transitions/index.js';
export { WorkerMachine } from './worker-machine.js';
