export { systemClock } from './system-clock.js';
export { systemTimers } from './system-timers.js';
export { ForkedChildren } from './forked-children.js';
export { processMemory } from './process-memory.js';
export { onShutdown, tellParent, type ShutdownCause } from './shutdown.js';
