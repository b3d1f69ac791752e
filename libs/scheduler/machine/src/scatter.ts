/** Data that clients put on workers themselves: where it should go, and what becomes of it once it is there. */
import { NoValidWorkerError, type SeededRandom, type TaskKey } from '@spillway/kernel';
import { remoteError, type Holder } from '@spillway/messages';
import { bringIntoMemory } from './arrivals.js';
import type { ClientView } from './client-view.js';
import type { Core } from './core.js';
import type { ClientEvent } from './events.js';
import { scatteredNowhere } from './failures.js';
import { addReplica } from './replicas.js';
import { RELEASED, SchedulerTask } from './task.js';
import { move } from './transitions/index.js';
import { addWant } from './wants.js';
import type { WorkerRoster } from './worker-roster.js';
import type { WorkerView } from './worker-view.js';

/**
 * Chooses workers for data that is about to be put. What it has planned and not seen arrive is a hint of its own, kept
 * until the worker's next heartbeat, so that many plans made at once do not all name one worker. No event depends on it.
 */
export class ScatterPlanner {
  readonly #plannedBytes = new WeakMap<WorkerView, number>();

  constructor(private readonly random: SeededRandom) {}

  /**
   * Running workers (of those named, or of all) with most room for the data, then fewest keys. At most `copies`, fewer when
   * there are not so many. Throws `NoValidWorkerError` when there is none.
   */
  plan(roster: WorkerRoster, nbytes: number, copies: number, names: readonly string[]): Holder[] {
    const named =
      names.length === 0 ? [...roster.all()] : new Set(names.map((name) => roster.find(name)).values());
    const running: { worker: WorkerView; headroomBytes: number; tie: number }[] = [];
    for (const worker of named) {
      if (worker?.status !== 'running') continue;
      const headroomBytes = worker.headroomBytes - (this.#plannedBytes.get(worker) ?? 0);
      running.push({ worker, headroomBytes, tie: this.random.next() });
    }
    if (running.length === 0) {
      const whom = names.length === 0 ? 'No worker' : `None of the workers ${names.join(', ')}`;
      throw new NoValidWorkerError(
        `${whom} is running, so nothing can be scattered. Start one and try again.`,
      );
    }
    running.sort(
      (a, b) =>
        b.headroomBytes - a.headroomBytes || a.worker.hasWhat.size - b.worker.hasWhat.size || a.tie - b.tie,
    );
    return running.slice(0, Math.max(1, copies)).map(({ worker }) => {
      this.#plannedBytes.set(worker, (this.#plannedBytes.get(worker) ?? 0) + nbytes);
      return worker.holder;
    });
  }

  /** The worker's own figures are newer. */
  forgetPlansOf(worker: WorkerView): void {
    this.#plannedBytes.delete(worker);
  }
}

export function onDataScattered(
  core: Core,
  client: ClientView,
  event: Extract<ClientEvent, { type: 'data-scattered' }>,
): void {
  const { key, nbytes } = event;
  const holders: WorkerView[] = [];
  for (const workerId of event.holders) {
    const worker = core.roster.get(workerId);
    if (worker !== undefined) holders.push(worker);
  }
  const known = core.table.get(key);
  if (known?.spec !== undefined) {
    refuseRecipe(core, client, known, holders);
    return;
  }
  if (holders.length === 0 && known?.state.name !== 'memory') {
    core.outbox.toClient(client.id, { type: 'key-erred', key, error: scatteredNowhere(key) });
    return;
  }
  const task = known ?? newData(core, event);
  if (task.state.name === 'memory') {
    for (const worker of holders) addReplica(task, worker);
  } else {
    if (task.state.name === 'erred') move(core, task, RELEASED);
    bringIntoMemory(core, task, nbytes, holders);
  }
  // The client keeps no copy of its own.
  addWant(core, client, task, true);
}

function newData(core: Core, event: Extract<ClientEvent, { type: 'data-scattered' }>): SchedulerTask {
  const task = new SchedulerTask(event.key, undefined, undefined, core.nextSubmission(), 0);
  core.table.add(task);
  core.journal.add({ type: 'data-made', submission: task.submission, key: task.key });
  return task;
}

/** A key that a task makes cannot also be data: the two might differ. The copies are dropped where they do no harm. */
function refuseRecipe(
  core: Core,
  client: ClientView,
  task: SchedulerTask,
  holders: readonly WorkerView[],
): void {
  for (const worker of holders) dropCopy(core, worker, task.key);
  const error = remoteError(
    'KEY_CONFLICT',
    `The key ${task.key} is the result of a task, so data cannot be scattered under it. Use another key.`,
    { key: task.key },
  );
  core.outbox.toClient(client.id, { type: 'key-erred', key: task.key, error });
}

/** The client is gone before the data it put could become anybody's. */
export function dropOrphans(core: Core, event: Extract<ClientEvent, { type: 'data-scattered' }>): void {
  for (const workerId of event.holders) {
    const worker = core.roster.get(workerId);
    if (worker !== undefined) dropCopy(core, worker, event.key);
  }
}

/** A value that nobody wants: a leftover, or one that must not be. After a death of the scheduler a client may be about to claim it. */
export function dropCopy(core: Core, worker: WorkerView, key: TaskKey): void {
  const task = core.table.get(key);
  if (task !== undefined && (worker.hasWhat.has(task) || worker.isRunning(task))) return;
  if (task === undefined && core.strays !== undefined) core.strays.values.push({ worker, key });
  else core.outbox.free(worker, key);
}
