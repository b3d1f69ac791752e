/** The table of moves. A pair that is not in it is a bug of ours and ends in `InvalidTransitionError`, with the story. */
import { formatStory, InvalidTransitionError } from '@spillway/kernel';
import type { Core } from '../core.js';
import type { SchedulerTask, StateName, TaskState } from '../task.js';
import { fromAwaited } from './from-awaited.js';
import { fromErred } from './from-erred.js';
import { fromMemory } from './from-memory.js';
import { fromNoWorker } from './from-no-worker.js';
import { fromProcessing } from './from-processing.js';
import { fromQueued } from './from-queued.js';
import { fromReleased } from './from-released.js';
import { fromWaiting } from './from-waiting.js';
import type { TransitionTable } from './table.js';

export const TRANSITIONS: TransitionTable = {
  released: fromReleased,
  waiting: fromWaiting,
  queued: fromQueued,
  'no-worker': fromNoWorker,
  processing: fromProcessing,
  memory: fromMemory,
  awaited: fromAwaited,
  erred: fromErred,
  forgotten: {},
};

/** The pairs of the table, as `from>to`: for the diagram in the docs. */
export function transitionPairs(): string[] {
  return [...Object.entries(TRANSITIONS)].flatMap(([from, moves]) =>
    Object.keys(moves).map((to) => `${from}>${to}`),
  );
}

// A table indexed by both names loses the tie between them; the types of the moves themselves are checked in their files.
type AnyMove = (core: Core, task: SchedulerTask, from: TaskState, to: TaskState) => void;
type AnyTable = Readonly<Record<StateName, Readonly<Partial<Record<StateName, AnyMove>>>>>;
const moves = TRANSITIONS as unknown as AnyTable;

export function move(core: Core, task: SchedulerTask, to: TaskState): void {
  const from = task.state;
  const transition = moves[from.name][to.name];
  if (transition === undefined) {
    const edge = `${from.name}>${to.name}`;
    throw new InvalidTransitionError(
      `Task ${task.key} cannot make the move ${edge}. Its story:\n${formatStory(core.table.story.of(task.key))}`,
      { details: { key: task.key, edge } },
    );
  }
  transition(core, task, from, to);
}
