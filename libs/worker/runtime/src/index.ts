export { WorkerRuntime, type WorkerRuntimeOptions } from './worker-runtime.js';
export { WorkerMemory, type WorkerMemoryOptions } from './memory/worker-memory.js';
