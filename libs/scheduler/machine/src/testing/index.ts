export { aTask, aWorkerHello, type TaskDraft, type WorkerDraft } from './builders.js';
export {
  aScheduler,
  TestScheduler,
  toClient,
  toWorker,
  type EventDraft,
  type FinishDraft,
  type Run,
} from './test-scheduler.js';
