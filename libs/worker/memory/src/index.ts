export { MemoryMachine, type MemoryState } from './memory-machine.js';
export type { Evicted, MemoryEvent, MemoryHappening } from './events.js';
export type { Admission, MemoryInstruction, MemoryLogEvent, MemoryNumbers } from './instructions.js';
export { DEFAULT_MEMORY_OPTIONS, type MemoryMachineOptions } from './options.js';
export { GrowthWatch, type GrowthWatchOptions, type BusyWith } from './growth-watch.js';
