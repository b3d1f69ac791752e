export * from './client.js';
export * from './limits.js';
export * from './memory.js';
export * from './nanny.js';
export * from './remote-error.js';
export * from './task-spec.js';
export * from './values.js';
export * from './worker.js';
