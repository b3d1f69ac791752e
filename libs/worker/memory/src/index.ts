export { MemoryMachine, type MemoryState } from './memory-machine.js';
export type { Evicted, HoardSample, MemoryEvent, MemoryHappening } from './events.js';
export type {
  Admission,
  MemoryInstruction,
  MemoryLogEvent,
  MemoryNumbers,
  MemoryRequest,
} from './instructions.js';
export { DEFAULT_MEMORY_OPTIONS, type MemoryMachineOptions } from './options.js';
export { breakDown, RollingMinimum, type MemoryBreakdown, type MemoryReading } from './breakdown.js';
export { GrowthWatch, type GrowthVerdict, type GrowthWatchOptions, type BusyWith } from './growth-watch.js';
