export { ContainerStore, type ContainerStoreOptions } from './container/container-store.js';
export { TwoTierStore, type TwoTierStoreOptions } from './two-tier-store.js';
export { SpillThread, type SpillThreadOptions } from './thread/spill-thread.js';
export { runSpillThread } from './thread/run-spill-thread.js';
export type { SpillCompression } from './disk/compression-choice.js';
export { noDisk } from './disk/no-disk.js';
export { spillRefusalText } from './disk/refusal-text.js';
export { scanSpillFolder, type FoundInFolder, type FoundValue } from './disk/scan-folder.js';
export { readSpilled, type SpilledLocation } from './disk/read-spilled.js';
export { readFailure, writeFailure } from './disk/failure.js';
export type {
  ReadBack,
  RecordPlaces,
  RecordPosition,
  SpillDisk,
  ValueToWrite,
  Written,
} from './disk/spill-disk.js';
