export type * from './events.js';
export type * from './instructions.js';
export { DEFAULT_LIMITS, type WorkerMachineLimits, type WorkerMachineOptions } from './options.js';
export { TASK_STATE_NAMES, type TaskStateName } from './task.js';
export { transitionPairs } from './transitions/index.js';
export { WorkerMachine } from './worker-machine.js';
