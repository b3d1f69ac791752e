export { NannyRuntime, type NannyRuntimeOptions } from './nanny-runtime.js';
export type { WorkerMessage } from './worker-message.js';
