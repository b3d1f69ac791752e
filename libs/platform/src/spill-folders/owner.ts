/**
 * Who owns a spill folder, and whether that process still lives. A process id alone says nothing: it is used again, and
 * it means another process in another container. Hence the start time, and where the id counts. Where an id cannot be
 * looked up from here (another container, another boot), the age of the owner file tells: the owner keeps it fresh.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { codeOf } from '../error-code.js';

/** Name of the owner file in a folder. */
export const OWNER_FILE = 'owner.json';
/** How often an owner touches its file. */
export const OWNER_BEAT_MS = 60_000;
/** An owner that cannot be looked up, and has not touched its file for so long, is dead. */
export const OWNER_SILENT_MS_MAX = 10 * OWNER_BEAT_MS;

export interface Owner {
  readonly pid: number;
  /** Start of the process as the system counts it; `undefined` where there is no way to know. */
  readonly startTime: string | undefined;
  /** Names the set of processes in which `pid` means this one. */
  readonly scope: string;
}

export type OwnerState = 'alive' | 'dead' | 'unknown';

export function thisProcess(): Owner {
  return { pid: process.pid, startTime: startTimeOf(process.pid), scope: scopeOfIds() };
}

export function formatOwner(owner: Owner): string {
  return `${JSON.stringify(owner)}\n`;
}

/** `undefined` for text that no owner wrote. */
export function parseOwner(text: string): Owner | undefined {
  try {
    const { pid, startTime, scope } = JSON.parse(text) as Partial<Record<keyof Owner, unknown>>;
    if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
    if (typeof scope !== 'string') return undefined;
    return { pid, scope, startTime: typeof startTime === 'string' ? startTime : undefined };
  } catch {
    return undefined;
  }
}

/** `unknown`: its process cannot be looked up from here. */
export function stateOf(owner: Owner): OwnerState {
  if (owner.scope !== scopeOfIds()) return 'unknown';
  if (!exists(owner.pid)) return 'dead';
  // The id is in use: by the owner, or by another process since.
  return owner.startTime === startTimeOf(owner.pid) ? 'alive' : 'dead';
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** Linux: ticks from boot to the start of the process. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in brackets, which may hold anything; the start time is the 22nd.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** The boot and the namespace of process ids; elsewhere the host. */
function scopeOfIds(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return `${process.platform} ${hostname()}`;
  }
}
