export { SchedulerRuntime, type SchedulerRuntimeOptions } from './scheduler-runtime.js';
