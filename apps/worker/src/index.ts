export {
  startWorker,
  type RunningWorker,
  type WorkerEnd,
  type WorkerOptions,
  type WorkerOrigin,
} from './start-worker.js';
