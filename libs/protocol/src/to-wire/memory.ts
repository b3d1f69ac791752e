/** A worker's memory readings as they are written: the same fields in heartbeats and in what the scheduler tells. */
import type { MemoryReadings } from '@spillway/messages';
import { SPILL_REFUSAL_TO_WIRE } from './scalars.js';

export const memoryReadingsToWire = (readings: MemoryReadings) => ({
  processBytes: readings.processBytes,
  managedBytes: readings.managedBytes,
  unmanagedOldBytes: readings.unmanagedOldBytes,
  unmanagedRecentBytes: readings.unmanagedRecentBytes,
  hoardedBytes: readings.hoardedBytes,
  spilledBytes: readings.spilledBytes,
  processPeakBytes: readings.processPeakBytes,
  spillWrittenBytes: readings.spillWrittenBytes,
  spillReadBytes: readings.spillReadBytes,
  spillRefusal: SPILL_REFUSAL_TO_WIRE[readings.spillRefusedBecause ?? 'none'],
});
