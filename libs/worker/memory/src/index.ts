export { GrowthWatch, type GrowthWatchOptions, type BusyWith } from './growth-watch.js';
