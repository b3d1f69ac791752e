/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
/** What a nanny tells operators, and its mapping. */
import { asNannyId, asWorkerId, type NannyId, type WorkerId } from '@spillway/kernel';
import { spillway } from '@spillway/proto';
import { count, each, invalid, text, words } from '../from-wire/checks.js';

const { NannySlotState } = spillway.v1;

const SLOT_STATES = {
  empty: NannySlotState.NANNY_SLOT_STATE_EMPTY,
  starting: NannySlotState.NANNY_SLOT_STATE_STARTING,
  running: NannySlotState.NANNY_SLOT_STATE_RUNNING,
  retiring: NannySlotState.NANNY_SLOT_STATE_RETIRING,
  closing: NannySlotState.NANNY_SLOT_STATE_CLOSING,
  killing: NannySlotState.NANNY_SLOT_STATE_KILLING,
  resting: NannySlotState.NANNY_SLOT_STATE_RESTING,
  quarantined: NannySlotState.NANNY_SLOT_STATE_QUARANTINED,
} as const;

const REASON_LENGTH_MAX = 64 * 1024;

/** What a slot is doing; the names of the nanny machine's slot states. */
export type NannySlotStateName = keyof typeof SLOT_STATES;

/** A place for one worker. */
export interface NannySlotInfo {
  readonly workerName: string;
  readonly state: NannySlotStateName;
  /** How many workers it has had. */
  readonly lives: number;
  readonly workerId?: WorkerId;
  readonly pid?: number;
  /** Only in quarantine: why. */
  readonly quarantineReason?: string;
}

export interface NannyStatus {
  readonly nannyId: NannyId;
  readonly name: string;
  readonly softwareVersion?: string;
  readonly slots: readonly NannySlotInfo[];
}

export const statusToWire = (status: NannyStatus): spillway.v1.GetStatusResponse => ({
  nannyId: status.nannyId,
  name: status.name,
  softwareVersion: status.softwareVersion ?? '',
  slots: status.slots.map(({ workerName, state, lives, workerId, pid, quarantineReason }) => ({
    workerName,
    state: SLOT_STATES[state],
    lives,
    workerId: workerId ?? null,
    pid: pid ?? null,
    quarantineReason: quarantineReason ?? null,
  })),
});

export const statusFromWire = (wire: spillway.v1.GetStatusResponse): NannyStatus => ({
  nannyId: asNannyId(text(wire.nannyId, 'nanny_id')),
  name: text(wire.name, 'name'),
  softwareVersion: words(wire.softwareVersion, 'software_version'),
  slots: each(wire.slots, 'slots', slotFromWire),
});

function slotFromWire(wire: spillway.v1.NannySlot): NannySlotInfo {
  const state = (Object.keys(SLOT_STATES) as NannySlotStateName[]).find(
    (name) => SLOT_STATES[name] === wire.state,
  );
  if (state === undefined) throw invalid('state', `${wire.state} is no known state of a slot`);
  return {
    workerName: text(wire.workerName, 'worker_name'),
    state,
    lives: count(wire.lives, 'lives'),
    ...(wire.workerId === null || wire.workerId === undefined ? {} : { workerId: asWorkerId(wire.workerId) }),
    ...(wire.quarantineReason === null || wire.quarantineReason === undefined
      ? {}
      : { quarantineReason: words(wire.quarantineReason, 'quarantine_reason', REASON_LENGTH_MAX) }),
    ...(wire.pid === null || wire.pid === undefined ? {} : { pid: count(wire.pid, 'pid') }),
  };
}
