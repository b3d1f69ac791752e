/** The journal says what the machine knows, after every event: what would be there after a death. */
import { InvariantError, type ClientId, type TaskKey } from '@spillway/kernel';
import type { JournalState } from '@spillway/messages';
import type { SchedulerMachine } from '../scheduler-machine.js';

interface Written {
  readonly tasks: Set<TaskKey>;
  readonly finished: Set<TaskKey>;
  readonly erred: Set<TaskKey>;
  readonly wants: Map<ClientId, Set<TaskKey>>;
}

/** Throws `InvariantError`. */
export function checkJournal(machine: SchedulerMachine, journal: JournalState, nowMs: number): void {
  // Of a graph that is being committed all wants are written down at once.
  const isAtWork = machine.nextWakeMs !== undefined && machine.nextWakeMs <= nowMs;
  const { tasks, finished, erred, wants } = writtenIn(journal);
  const { forgotten: _, ...known } = machine.countsByState;
  const knownCount = Object.values(known).reduce((sum, count) => sum + count, 0);
  check(tasks.size === knownCount, `${tasks.size} tasks are written down, ${knownCount} are known`);
  for (const key of tasks) {
    const state = machine.stateOf(key);
    check(state !== 'forgotten', `${key} is written down, and forgotten`);
    const isFinished = state === 'memory' || state === 'awaited';
    // One that must not run twice is awaited, finished or not, when the scheduler does not know.
    check(
      isFinished === finished.has(key) || state === 'awaited',
      `${key} is ${state}, and written down otherwise`,
    );
    check(state === 'erred' || !erred.has(key), `${key} is ${state}, and written down as erred`);
  }
  for (const [clientId, keys] of wants) {
    const wanted = machine.wantsOf(clientId);
    check(wanted !== undefined, `client ${clientId} is written down, and not known`);
    check(
      (wanted?.length === keys.size || isAtWork) && wanted?.every((key) => keys.has(key)) === true,
      `client ${clientId} wants ${wanted?.join(' ') ?? ''}, written down is ${[...keys].join(' ')}`,
    );
  }
}

function writtenIn(journal: JournalState): Written {
  const written: Written = { tasks: new Set(), finished: new Set(), erred: new Set(), wants: new Map() };
  for (const record of journal.records()) {
    if (record.type === 'tasks-made') for (const { spec } of record.tasks) written.tasks.add(spec.key);
    else if (record.type === 'data-made') written.tasks.add(record.key);
    else if (record.type === 'task-finished') written.finished.add(record.key);
    else if (record.type === 'task-erred') written.erred.add(record.key);
    else if (record.type === 'client-came') written.wants.set(record.clientId, new Set());
    else if (record.type === 'keys-wanted')
      for (const key of record.keys) written.wants.get(record.clientId)?.add(key);
  }
  return written;
}

function check(condition: boolean, message: string): void {
  if (!condition) throw new InvariantError(`The journal is wrong: ${message}`);
}
