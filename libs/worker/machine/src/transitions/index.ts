/**
 * The one table of moves. A pair that is not in it cannot happen: asking for it is a bug of ours
 * (`InvalidTransitionError`). The state has changed already when a transition runs; it sees to everything that must
 * follow from this pair, whatever the event was.
 */
import type { MachineContext } from '../context.js';
import type { StateOf, TaskState, TaskStateName, WorkerTask } from '../task.js';
import { fromErred } from './from-erred.js';
import { fromExecuting } from './from-executing.js';
import { fromFetch } from './from-fetch.js';
import { fromFlight } from './from-flight.js';
import { fromMemory } from './from-memory.js';
import { fromReady } from './from-ready.js';
import { fromReleased } from './from-released.js';
import { fromWaiting } from './from-waiting.js';

export type Transition<From extends TaskStateName, To extends TaskStateName> = (
  context: MachineContext,
  task: WorkerTask,
  from: StateOf<From>,
  to: StateOf<To>,
) => void;

export type TransitionsFrom<From extends TaskStateName> = {
  readonly [To in TaskStateName]?: Transition<From, To>;
};

/** A transition whose pair was looked up, so that its states are known to fit. */
export type AnyTransition = (
  context: MachineContext,
  task: WorkerTask,
  from: TaskState,
  to: TaskState,
) => void;

export const TRANSITIONS: { readonly [From in TaskStateName]: TransitionsFrom<From> } = {
  released: fromReleased,
  waiting: fromWaiting,
  fetch: fromFetch,
  flight: fromFlight,
  ready: fromReady,
  executing: fromExecuting,
  memory: fromMemory,
  erred: fromErred,
};

/** The pairs of the table, as `from>to`: for the diagram in the docs. */
export function transitionPairs(): string[] {
  return Object.entries(TRANSITIONS).flatMap(([from, moves]) =>
    Object.keys(moves).map((to) => `${from}>${to}`),
  );
}
