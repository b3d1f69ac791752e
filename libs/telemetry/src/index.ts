export { createLogger, type LogDestination, type LoggerOptions, type LogLevel } from './logger.js';
export { RateLimitedWarnings } from './rate-limited-warnings.js';
export { EVENT_NAMES, type EventName } from './event-names.js';
