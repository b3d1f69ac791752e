export { aboutBytes } from './about-bytes.js';
export * from './assert.js';
export * from './errors.js';
export * from './ids.js';
export { SeededRandom } from './seeded-random.js';
export { Story, formatStory, type StoryEntry } from './story.js';
export { WakeTimer } from './wake-timer.js';
export { SOFTWARE_VERSION } from './version.js';
export { GROWTH_BYTES_PER_MS, lookIntervalMs } from './look-interval.js';
