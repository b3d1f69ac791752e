export { computeInOneProcess, type Size } from './correlations.js';
export { tellMemoryPressure, type StoryOptions, type StoryOutcome } from './memory-pressure.js';
export { StoryTeller, type Told, type Turn } from './story.js';
