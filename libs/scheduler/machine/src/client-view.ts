import type { ClientId, SubmissionId, TaskKey } from '@spillway/kernel';
import type { SpokenEvent } from './spoken-event.js';
import type { GraphCommit } from './graph-commit.js';
import type { StagedGraph } from './staged-graph.js';
import type { SchedulerTask } from './task.js';

/** What the scheduler knows of one client session. */
export class ClientView {
  /** Keys it holds futures for: one relation with `SchedulerTask.wantedBy` (`wants.ts`). */
  readonly wants = new Set<SchedulerTask>();
  /** Graphs of which parts have arrived and no commit. */
  readonly staged = new Map<SubmissionId, StagedGraph>();
  stagedTaskCount = 0;
  /** Graphs accepted before, so that submitting one again is answered and not repeated. The last few thousand. */
  readonly accepted = new Set<SubmissionId>();
  /** The graph being committed, in slices. Invariant: while there is one, what the client says is kept in `deferred`. */
  commit: GraphCommit | undefined = undefined;
  /** What it said while a graph was being committed: done in order afterwards, as if the commit had taken no time. */
  readonly deferred: SpokenEvent[] = [];
  /** When everything it holds is released; `false` while it is connected. */
  leaseEndsAtMs: number | false = false;

  /** What it put on workers is not decided yet (`recovery.ts`): what it says next is kept in `deferred`, too. */
  isHeldUp = false;
  /** Keys it has said so far that it still wants, after the scheduler died; `undefined` when it is not saying so. */
  resuming: Set<TaskKey> | undefined = undefined;

  constructor(readonly id: ClientId) {}
}
