export { startWorker, type RunningWorker, type WorkerEnd } from './start-worker.js';
export type { WorkerOptions, WorkerOrigin } from './worker-options.js';
export type { NamedContainer, WorkerData } from './container/worker-data.js';
