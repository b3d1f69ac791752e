export { aTask, aVerdict, aWorkerHello, type TaskDraft, type WorkerDraft } from './builders.js';
export {
  aScheduler,
  TestScheduler,
  toClient,
  toWorker,
  type EventDraft,
  type FinishDraft,
  type MemoryDraft,
  type Run,
} from './test-scheduler.js';
export { RandomCluster, type Step } from './random-cluster.js';
export { OutsideView } from './told.js';
export { replayScript } from './script.js';
