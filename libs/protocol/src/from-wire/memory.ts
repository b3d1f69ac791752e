/** A worker's memory readings as they arrived: the same fields in its heartbeats and in what the scheduler tells of it. */
import type { MemoryReadings } from '@spillway/messages';
import type { spillway } from '@spillway/proto';
import { count } from './checks.js';
import { spillRefusal } from './enums.js';

type WireReadings = Pick<
  spillway.v1.WorkerHeartbeat,
  | 'processBytes'
  | 'managedBytes'
  | 'unmanagedOldBytes'
  | 'unmanagedRecentBytes'
  | 'hoardedBytes'
  | 'spilledBytes'
  | 'processPeakBytes'
  | 'spillWrittenBytes'
  | 'spillReadBytes'
  | 'spillRefusal'
>;

export function memoryReadings(wire: WireReadings): MemoryReadings {
  const refusedBecause = spillRefusal(wire.spillRefusal, 'spill_refusal');
  return {
    processBytes: count(wire.processBytes, 'process_bytes'),
    managedBytes: count(wire.managedBytes, 'managed_bytes'),
    unmanagedOldBytes: count(wire.unmanagedOldBytes, 'unmanaged_old_bytes'),
    unmanagedRecentBytes: count(wire.unmanagedRecentBytes, 'unmanaged_recent_bytes'),
    hoardedBytes: count(wire.hoardedBytes, 'hoarded_bytes'),
    spilledBytes: count(wire.spilledBytes, 'spilled_bytes'),
    processPeakBytes: count(wire.processPeakBytes, 'process_peak_bytes'),
    spillWrittenBytes: count(wire.spillWrittenBytes, 'spill_written_bytes'),
    spillReadBytes: count(wire.spillReadBytes, 'spill_read_bytes'),
    ...(refusedBecause === undefined ? {} : { spillRefusedBecause: refusedBecause }),
  };
}
