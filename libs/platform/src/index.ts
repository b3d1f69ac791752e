export { systemClock } from './system-clock.js';
export { systemTimers } from './system-timers.js';
export { ForkedChildren } from './forked-children.js';
export { IsolateGarbage, type IsolateGarbageOptions } from './isolate-garbage.js';
export { readOomKills } from './limits/oom-kills.js';
export { ownMemory, processMemory } from './process-memory.js';
export { processMalloc } from './malloc/process-malloc.js';
export { findJemalloc, type LibraryPlaces } from './malloc/find-jemalloc.js';
export { forgetPreload, preloadVariables } from './malloc/preload.js';
export { endAtOnce, onShutdown, tellParent, type ShutdownCause } from './shutdown.js';
export { thisMachine, type Machine } from './limits/machine.js';
export {
  resolveMemoryLimit,
  type LimitWarning,
  type ResolvedMemoryLimit,
  type Sharing,
  type WrittenMemoryLimit,
} from './limits/memory-limit.js';
export { heapCaps, mainHeapOption, type HeapCaps } from './limits/heap-caps.js';
export { LimitWatch, type LimitWatchOptions, type MemoryLimitReading } from './limits/limit-watch.js';
export { heapCapsText, limitText, warningText } from './limits/limit-text.js';
export { systemFiles, type FileTree } from './limits/file-tree.js';
export { readMemorySources, type MemorySource } from './limits/memory-sources.js';
export { codeOf } from './error-code.js';
export { SpillFolder, type SpillFolderOptions } from './spill-folders/spill-folder.js';
export { reapLeftovers, reapNanny, type ReapOptions } from './spill-folders/reap-leftovers.js';
export {
  formatOwner,
  OWNER_BEAT_MS,
  OWNER_FILE,
  parseOwner,
  stateOf,
  thisProcess,
} from './spill-folders/owner.js';
export { removeScratchFolder, scratchFolderOf } from './scratch-folder.js';
export { programFiles, type ProgramFiles } from './program-files.js';
export { configDoors } from './config-doors.js';
export { channelSecurityOf, serverSecurityOf, type TlsFiles, type TlsPaths } from './tls-files.js';
export { contactAddressOf } from './contact-address.js';
