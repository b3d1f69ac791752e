import type { Core } from '../core.js';
import type { SchedulerTask, StateName, StateOf } from '../task.js';

/** The moves out of one state, by where they lead. A move gets the state left and the state to enter, with its data. */
export type Departures<From extends StateName> = {
  readonly [To in StateName]?: (
    core: Core,
    task: SchedulerTask,
    from: StateOf<From>,
    to: StateOf<To>,
  ) => void;
};

/** All moves there are. */
export type TransitionTable = { readonly [From in StateName]: Departures<From> };
