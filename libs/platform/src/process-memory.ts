import { readFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import pidusage from 'pidusage';
import type { OwnMemoryReader, ProcessMemory } from '@spillway/ports';

const KiB = 1024;

/** RSS of any process: from `/proc` where there is one (0.08 ms), else through `pidusage` (1.6 ms and a child process). */
export const processMemory: ProcessMemory = {
  async read(pid) {
    if (process.platform === 'linux') return readFromProc(pid);
    try {
      return (await pidusage(pid)).memory;
    } catch {
      return undefined;
    }
  },
};

/** This process, and the isolate that asks (0.03 ms). */
export const ownMemory: OwnMemoryReader = {
  read() {
    const processBytes = process.memoryUsage.rss();
    const { total_physical_size, used_heap_size } = getHeapStatistics();
    return {
      processBytes,
      // Two files of the kernel: what was read later may be larger.
      processPeakBytes: Math.max(processBytes, readPeak()),
      // Physical: pages of the young generation that were never written are committed and not resident.
      heapUnusedBytes: Math.max(0, total_physical_size - used_heap_size),
    };
  },
};

/**
 * From `status`, in kilobytes: `statm` counts in pages, whose size differs between processors and kernels. At once: it is no
 * file that could keep us waiting, and in the thread pool it would wait behind those that can.
 */
function readFromProc(pid: number): number | undefined {
  try {
    return bytesOf('VmRSS', readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return undefined;
  }
}

function readPeak(): number {
  // Not `maxRSS` on Linux: it is kept over `exec`, so that of a child begins with what its parent had.
  const peakBytes = process.platform === 'linux' ? peakFromProc() : undefined;
  return peakBytes ?? process.resourceUsage().maxRSS * KiB;
}

function peakFromProc(): number | undefined {
  try {
    return bytesOf('VmHWM', readFileSync('/proc/self/status', 'utf8'));
  } catch {
    return undefined;
  }
}

/** A line of `status`; a process that has ended and is not yet waited for has no memory lines. */
function bytesOf(name: string, status: string): number | undefined {
  const written = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  return written === undefined ? undefined : Number(written) * KiB;
}
