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
  /** The worker's name, if its next life may adopt what is in the folder. */
  readonly leavesTo?: string;
  /** Lives in a row that adopted it and did not come as far as to prove that it does no harm. */
  readonly unprovenLives?: number;
}

export type OwnerState = 'alive' | 'dead' | 'unknown';

/** `leavesTo` is left out where boots of the machine cannot be told apart: what outlived one was never made durable. */
export function thisProcess(leavesTo?: string): Owner {
  const { pid } = process;
  const scope = scopeOfIds();
  const owner = { pid, startTime: statOf(pid)?.startTime, scope };
  const boot = bootId();
  const isOfBoot = boot !== undefined && scope.startsWith(boot);
  return leavesTo === undefined || !isOfBoot ? owner : { ...owner, leavesTo };
}

/** Of two lives of one worker: whether this is the later one. */
export const isLaterThan = (owner: Owner, other: Owner): boolean =>
  Number(owner.startTime ?? 0) > Number(other.startTime ?? 0);

export function formatOwner(owner: Owner): string {
  return `${JSON.stringify(owner)}\n`;
}

/** `undefined` for text that no owner wrote. */
export function parseOwner(text: string): Owner | undefined {
  try {
    const { pid, startTime, scope, leavesTo, unprovenLives } = JSON.parse(text) as Partial<
      Record<keyof Owner, unknown>
    >;
    if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
    if (typeof scope !== 'string') return undefined;
    return {
      pid,
      scope,
      startTime: typeof startTime === 'string' ? startTime : undefined,
      ...(typeof leavesTo === 'string' ? { leavesTo } : {}),
      ...(typeof unprovenLives === 'number' ? { unprovenLives } : {}),
    };
  } catch {
    return undefined;
  }
}

/** `unknown`: its process cannot be looked up from here. */
export function stateOf(owner: Owner): OwnerState {
  if (owner.scope !== scopeOfIds()) return 'unknown';
  if (!exists(owner.pid)) return 'dead';
  const stat = statOf(owner.pid);
  // The id is in use: by the owner, or by another process since. A process that nobody has buried yet is dead, too.
  return owner.startTime === stat?.startTime && stat?.state !== 'Z' ? 'alive' : 'dead';
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** Linux: its state, a letter, and the ticks from boot to its start. */
function statOf(
  pid: number,
): { readonly state: string | undefined; readonly startTime: string | undefined } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in brackets, which may hold anything; the start time is the 22nd.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0], startTime: fields[19] };
  } catch {
    return undefined;
  }
}

/** The boot and the namespace of process ids; elsewhere the host. */
function scopeOfIds(): string {
  const boot = bootId();
  try {
    if (boot !== undefined) return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    // Without /proc of its own: the host has to do.
  }
  return `${process.platform} ${hostname()}`;
}

/** Another one after each start of the machine; `undefined` where there is none. */
function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return undefined;
  }
}
