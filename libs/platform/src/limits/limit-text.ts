/** What is said in logs about limits: one line for people. What is exact is in the fields of the line. */
import { aboutBytes } from '@spillway/kernel';
import type { HeapCaps } from './heap-caps.js';
import type { MemoryLimitReading } from './limit-watch.js';
import type { LimitWarning } from './memory-limit.js';

/** What was wrong with the limit that was written, and what now. */
export function warningText(warning: LimitWarning): string {
  switch (warning.kind) {
    case 'clamped':
      return (
        `the memory limit that was written (${aboutBytes(warning.writtenBytes)}) is more than there is, so it is ` +
        `${aboutBytes(warning.totalBytes)}; see docs/memory-limit.md`
      );
    case 'overcommitted':
      return (
        `the limits of all workers come to ${aboutBytes(warning.sumBytes)}, which is more than there is ` +
        `(${aboutBytes(warning.totalBytes)}): the operating system may end one before its own limit does; ` +
        `see docs/memory-limit.md`
      );
  }
}

/** The limit of a worker and what decided it. */
export const limitText = ({ limitBytes, machine }: MemoryLimitReading): string =>
  limitBytes === false
    ? 'no memory limit'
    : `memory limit ${aboutBytes(limitBytes)} (there are ${aboutBytes(machine.totalBytes)}, by ${machine.decidedBy})`;

export const heapCapsText = (caps: HeapCaps): string =>
  `heap of the main isolate up to ${aboutBytes(caps.mainOldSpaceBytes)}, of each task thread up to ` +
  `${aboutBytes(caps.threadOldSpaceBytes)} and ${aboutBytes(caps.threadYoungSpaceBytes)} of new objects`;
