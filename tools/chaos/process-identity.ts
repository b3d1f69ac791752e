/** A process that cannot be taken for another one that has got its number since. Linux. */
import { readFileSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** In ticks of the kernel since it booted. */
  readonly startedAt: string;
}

/** `undefined`: there is no such process any more. A zombie is none. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name may hold spaces and brackets; the fields after it do not.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : { pid, startedAt: fields[19]! };
  } catch {
    return undefined;
  }
}

export const lives = ({ pid, startedAt }: ProcessIdentity): boolean => identify(pid)?.startedAt === startedAt;

/** Says whether the process was there to be signalled. */
export function signal(target: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!lives(target)) return false;
  try {
    return process.kill(target.pid, name);
  } catch {
    return false;
  }
}

/** The most resident memory it ever had, by the kernel's count, in bytes. `undefined`: it is gone. */
export function peakBytes(target: ProcessIdentity): number | undefined {
  if (!lives(target)) return undefined;
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${target.pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}
