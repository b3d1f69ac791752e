export { WorkerRuntime, type WorkerRuntimeOptions } from './worker-runtime.js';
export { monitorGrowth, type GrowthMonitorOptions } from './growth-monitor.js';
export { GarbageCollection, type GarbageCollectionOptions } from './garbage-collection.js';
