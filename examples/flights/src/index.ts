export { flightsPath } from './dataset.js';
export type { AirportStats, Summary } from './airport-stats.js';
export { runFlightsJob, type JobOptions, type Progress } from './flights-job.js';
export { computeInOneProcess } from './reference.js';
export { renderSummary } from './report.js';
