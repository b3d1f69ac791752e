/** What golden scripts show of an event: the moves it made, then its instructions, one line each. */
import { assertNever } from '@spillway/kernel';
import type {
  Dependency,
  Holder,
  RetirementReport,
  SchedulerToClient,
  SchedulerToWorker,
} from '@spillway/messages';
import type { SchedulerInstruction } from '../instructions.js';
import type { SchedulerMachine } from '../scheduler-machine.js';

/** `x: released > waiting > queued`, a line for each task that moved after so many moves. */
export function showMoves(machine: SchedulerMachine, movesBefore: number): string[] {
  const moves = new Map<string, string>();
  for (const { key, from, to } of machine.recentMoves().slice(movesBefore)) {
    moves.set(key, `${moves.get(key) ?? from} > ${to}`);
  }
  return [...moves].map(([key, path]) => `${key}: ${path}`);
}

/** Undefined for what is only told to the log and the journal. */
export function showInstruction(instruction: SchedulerInstruction): string | undefined {
  switch (instruction.type) {
    case 'send-to-worker':
      return `${instruction.workerId} < ${showToWorker(instruction.message)}`;
    case 'send-to-client':
      return `${instruction.clientId} < ${showToClient(instruction.message)}`;
    case 'end-worker-session':
      return `end-worker-session ${instruction.workerId}: ${instruction.reason}${showRetired(instruction.retired)}`;
    case 'retirement-ended':
      return `retirement-ended ${showReport(instruction.report)}`;
    case 'forget-client':
      return `forget-client ${instruction.clientId}`;
    case 'forget-modules':
      return `forget-modules ${instruction.moduleHashes.join(' ')}`;
    case 'log-event':
    case 'journal':
      return undefined;
    default:
      return assertNever(instruction, 'instruction');
  }
}

const showRetired = (retired: { readonly leavesValues: boolean } | undefined): string =>
  retired === undefined ? '' : retired.leavesValues ? ' [retired, leaves values]' : ' [retired]';

/** What is zero is left out. */
function showReport({ name, outcome, ...figures }: RetirementReport): string {
  const shown = Object.entries(figures).filter(([field, figure]) => field !== 'workerId' && figure !== 0);
  return [name, outcome, ...shown.map(([field, figure]) => `${field}=${figure}`)].join(' ');
}

function showToWorker(message: SchedulerToWorker): string {
  switch (message.type) {
    case 'compute-task': {
      const attempt = message.attempt === 1 ? '' : ` attempt=${message.attempt}`;
      const inputs = message.dependencies.map((input) => ` ${showDependency(input)}`).join('');
      const evenIfPaused = message.evenIfPaused === true ? ' even-if-paused' : '';
      return `compute-task ${message.spec.key} run=${message.runId}${attempt}${evenIfPaused}${inputs}`;
    }
    case 'free-keys':
      return `free-keys ${message.keys.join(' ')}`;
    case 'cancel-task':
      return `cancel-task ${message.key} run=${message.runId}`;
    case 'acquire-replicas':
      return `acquire-replicas ${message.replicas.map(showDependency).join(' ')}`;
    case 'refresh-who-has':
      return `refresh-who-has ${message.dependencies.map(showDependency).join(' ')}`;
    case 'peer-lost':
      return `peer-lost ${message.workerId}`;
    default:
      return message.type;
  }
}

function showToClient(message: SchedulerToClient): string {
  switch (message.type) {
    case 'graph-accepted':
      return 'graph-accepted';
    case 'graph-refused':
      return `graph-refused ${message.error.code}: ${message.error.message}`;
    case 'key-in-memory':
      return `key-in-memory ${message.key}@${showHolders(message.holders)}${message.inline === undefined ? '' : ' inline'}`;
    case 'key-erred': {
      const { code, message: text, cause } = message.error;
      return `key-erred ${message.key} ${code}: ${text}${cause === undefined ? '' : ` [cause ${cause.code}]`}`;
    }
    case 'key-cancelled':
      return `key-cancelled ${message.key} (${message.reason})`;
    case 'key-lost':
    case 'key-retried':
      return `${message.type} ${message.key}`;
    default:
      return assertNever(message, 'message to a client');
  }
}

const showDependency = (input: Dependency): string => `${input.key}@${showHolders(input.whoHas)}`;

const showHolders = (holders: readonly Holder[]): string =>
  holders.length === 0 ? 'nowhere' : holders.map((holder) => holder.workerId).join(',');
