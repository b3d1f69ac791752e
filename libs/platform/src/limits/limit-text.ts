/** What is said in logs about limits: one line for people, and the numbers. */
import type { HeapCaps } from './heap-caps.js';
import type { MemoryLimitReading } from './limit-watch.js';
import type { LimitWarning } from './memory-limit.js';

/** What was wrong with the limit that was written, and what now. */
export function warningText(warning: LimitWarning): string {
  switch (warning.kind) {
    case 'clamped':
      return (
        `the memory limit that was written (${inMib(warning.writtenBytes)}) is more than there is, so it is ` +
        `${inMib(warning.totalBytes)}; see docs/memory-limit.md`
      );
    case 'overcommitted':
      return (
        `the limits of all workers come to ${inMib(warning.sumBytes)}, which is more than there is ` +
        `(${inMib(warning.totalBytes)}): the operating system may end one before its own limit does; ` +
        `see docs/memory-limit.md`
      );
  }
}

/** The limit of a worker and what decided it. */
export const limitText = ({ limitBytes, machine }: MemoryLimitReading): string =>
  limitBytes === false
    ? 'no memory limit'
    : `memory limit ${inMib(limitBytes)} (there are ${inMib(machine.totalBytes)}, by ${machine.decidedBy})`;

export const heapCapsText = (caps: HeapCaps): string =>
  `heap of the main isolate up to ${inMib(caps.mainOldSpaceBytes)}, of each task thread up to ` +
  `${inMib(caps.threadOldSpaceBytes)} and ${inMib(caps.threadYoungSpaceBytes)} of new objects`;

/** Workers are limited in mebibytes and more; what is exact is in the fields of a log line. */
const inMib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
