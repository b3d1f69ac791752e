export { explainConfig, loadConfig, type ExplainedSetting } from './load-config.js';
export { environmentSource, readConfigSources, type ConfigDoors } from './read-sources.js';
export { flagsSource, optionsSource, type ConfigSource } from './source.js';
export type { ConfigProblem } from './problems.js';
export { leavesValues, spills } from './leaves-values.js';
export { formatBytes, parseBytes } from './bytes.js';
export { formatDuration, parseDuration } from './durations.js';
export type {
  ClientConfig,
  LogConfig,
  NannyConfig,
  SchedulerConfig,
  SecurityConfig,
  SpillwayConfig,
  TlsConfig,
  WorkerConfig,
  WorkerMemoryConfig,
} from './settings.js';
export type { MemoryLimitSetting } from './memory-limit.js';
export type { TextMap } from './text-map.js';

// For the programs, their command lines, and the generated documentation.
export { toEnvironment } from './load-config.js';
export { findSetting, flagsOf, SETTINGS, variableOf, type ListedSetting } from './settings.js';
export type { Program, Setting } from './setting.js';
