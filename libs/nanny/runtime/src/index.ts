export { NannyRuntime, type NannyEnd, type NannyRuntimeOptions } from './nanny-runtime.js';
export type { WorkerMessage } from './worker-message.js';
