/** One line of text for each instruction and each task's moves: for golden scripts, and for people reading failures. */
import { assertNever, type StoryEntry } from '@spillway/kernel';
import type { WorkerToScheduler } from '@spillway/messages';
import type { WorkerInstruction } from '../instructions.js';

/** `x: released > ready > executing`, one line a task, in the order of their first move. */
export function describeMoves(entries: readonly StoryEntry[]): string[] {
  const lines = new Map<string, string>();
  for (const { key, from, to } of entries) {
    const line = lines.get(key);
    lines.set(key, line === undefined ? `${key}: ${from} > ${to}` : `${line} > ${to}`);
  }
  return [...lines.values()];
}

export function describeInstruction(instruction: WorkerInstruction): string {
  switch (instruction.type) {
    case 'execute':
      return `execute ${instruction.key} run=${instruction.runId} slot=${instruction.slot}`;
    case 'stop-execution':
      return `stop-execution ${instruction.key} run=${instruction.runId} slot=${instruction.slot} reason=${instruction.reason}`;
    case 'gather-dependencies': {
      const keys = instruction.keys.map(({ key, nbytes }) => `${key}:${nbytes}`).join(' ');
      return `gather-dependencies ${keys} from ${instruction.peerId} at ${instruction.address}`;
    }
    case 'forget-peer':
      return `forget-peer ${instruction.peerId}`;
    case 'free-values':
      return `free-values ${instruction.keys.join(' ')}`;
    case 'send-to-scheduler':
      return `send-to-scheduler ${describeMessage(instruction.message)}`;
    case 'recycle-worker':
      return `recycle-worker (${instruction.reason})`;
    default:
      return assertNever(instruction, 'instruction');
  }
}

function describeMessage(message: WorkerToScheduler): string {
  switch (message.type) {
    case 'task-finished':
      return `task-finished ${message.key} run=${message.runId} size=${message.nbytes} ms=${message.durationMs}`;
    case 'task-erred':
      return `task-erred ${message.key} run=${message.runId} ${message.error.code} retry=${message.mayRetry ? 'yes' : 'no'}`;
    case 'task-handed-back':
      return `task-handed-back ${message.key} run=${message.runId} (${message.reason})`;
    case 'replicas-added':
      return `replicas-added ${message.replicas.map(({ key, nbytes }) => `${key}:${nbytes}`).join(' ')}`;
    case 'replica-missing':
      return `replica-missing ${message.key} holder=${message.holderId}`;
    case 'replicas-lost':
    case 'request-who-has':
      return `${message.type} ${message.keys.join(' ')}`;
    case 'worker-status-change':
      return `worker-status-change ${message.status}`;
    default:
      return message.type;
  }
}
