/**
 * Commits a graph, in slices: puts it in order, makes the tasks (none of them needed yet, all of them pinned), accepts it,
 * notes what the client wants, and lets go of the pins, upon which tasks that are needed start and those that are not are
 * forgotten. A graph that turns out to be wrong is let go of in the same way, and so leaves no trace; a task that another
 * graph has come to share in the meantime stays.
 */
import { assertNever, type TaskKey } from '@spillway/kernel';
import { remoteError, type RemoteError, type TaskSpec } from '@spillway/messages';
import type { ClientView } from './client-view.js';
import type { Core } from './core.js';
import { GraphOrder } from './graph-order.js';
import type { Job } from './jobs.js';
import { smallAdd, smallDelete, smallHas } from './small-set.js';
import { isSameTask } from './same-task.js';
import { keyConflict, type StagedGraph } from './staged-graph.js';
import { SchedulerTask } from './task.js';
import { addNotedWant } from './wants.js';

/** Accepted submissions remembered per client. */
const ACCEPTED_MAX = 10_000;

type Phase = 'order' | 'make' | 'look-up-wants' | 'want' | 'let-go' | 'done';

export class GraphCommit implements Job {
  #phase: Phase;
  /** How far the phase has come. */
  #index = 0;
  /** Why it is refused, if it is. */
  #refusal: RemoteError | undefined;
  #isAbandoned = false;
  #order: GraphOrder | undefined;
  /** Everything pinned: the tasks of the graph, and others it wants. */
  readonly #pinned: SchedulerTask[] = [];
  readonly #wanted: SchedulerTask[] = [];
  readonly #submission: number;

  constructor(
    core: Core,
    private readonly client: ClientView,
    private readonly graph: StagedGraph,
    private readonly wants: readonly TaskKey[],
  ) {
    this.#submission = core.nextSubmission();
    this.#refusal = graph.refusal;
    this.#phase = graph.refusal !== undefined ? 'let-go' : graph.hasForwardReferences ? 'order' : 'make';
  }

  /** The client is gone: nobody is told, nothing is wanted. */
  abandon(): void {
    this.#isAbandoned = true;
    if (this.#phase !== 'done' && this.#phase !== 'let-go') this.#enter('let-go');
  }

  work(core: Core, stepsMax: number): boolean {
    let stepsLeft = stepsMax;
    while (this.#phase !== 'done') {
      if (stepsLeft <= 0) return false;
      stepsLeft -= this.#step(core, stepsLeft);
    }
    return true;
  }

  /** Returns what it cost. */
  #step(core: Core, stepsLeft: number): number {
    switch (this.#phase) {
      case 'order':
        return this.#putInOrder(stepsLeft);
      case 'make':
        return this.#makeNext(core);
      case 'look-up-wants':
        return this.#lookUpNextWant(core);
      case 'want':
        return this.#wantNext(core);
      case 'let-go':
        return this.#letGoNext(core);
      case 'done':
        return 0;
      default:
        return assertNever(this.#phase, 'commit phase');
    }
  }

  #putInOrder(stepsLeft: number): number {
    this.#order ??= new GraphOrder(this.graph);
    if (!this.#order.work(stepsLeft)) return stepsLeft;
    const cycle = this.#order.findCycle();
    if (cycle === undefined) this.#enter('make');
    else this.#refuse(cycleError(cycle));
    return 1;
  }

  #makeNext(core: Core): number {
    const place = this.#order === undefined ? this.#index : this.#order.order[this.#index];
    const spec = place === undefined ? undefined : this.graph.specs[place];
    if (place === undefined || spec === undefined) {
      this.#enter('look-up-wants');
      return 0;
    }
    this.#index += 1;
    const known = core.table.get(spec.key);
    if (known === undefined) this.#make(core, spec, place);
    else if (known.spec !== undefined && isSameTask(known.spec, spec)) this.#pin(known);
    else this.#refuse(keyConflict(spec.key, 'the cluster'));
    return 1 + spec.dependencies.length;
  }

  #make(core: Core, spec: TaskSpec, place: number): void {
    const learned = core.functions.acquire(spec.function);
    // One function reference for all tasks that name it, or a million of them would each keep their own.
    const lean = spec.function === learned.ref ? spec : { ...spec, function: learned.ref };
    const task = new SchedulerTask(spec.key, lean, learned, this.#submission, place);
    const error = linkDependencies(core, task, spec);
    if (error !== undefined) {
      core.functions.release(learned);
      this.#refuse(error);
      return;
    }
    core.table.add(task);
    core.journal.made(task);
    this.#pin(task);
  }

  #lookUpNextWant(core: Core): number {
    const key = this.wants[this.#index];
    if (key === undefined) {
      this.#accept(core);
      return 1;
    }
    // Mostly all tasks are wanted, in the order in which they came.
    const next = this.#pinned[this.#index];
    const task = next?.key === key ? next : core.table.get(key);
    this.#index += 1;
    if (task === undefined) {
      this.#refuse(
        remoteError('INVALID_GRAPH', `The graph wants ${key}, which neither it nor the cluster knows.`, {
          key,
        }),
      );
    } else {
      this.#pin(task);
      this.#wanted.push(task);
    }
    return 1;
  }

  #accept(core: Core): void {
    const { submissionId } = this.graph;
    this.client.accepted.add(submissionId);
    if (this.client.accepted.size > ACCEPTED_MAX) {
      for (const oldest of this.client.accepted) {
        this.client.accepted.delete(oldest);
        break;
      }
    }
    // Before it is said that the graph is accepted: what nobody wants is forgotten by the next life.
    for (const task of this.#wanted) core.journal.wanted(this.client.id, task.key);
    core.journal.add({ type: 'graph-accepted', clientId: this.client.id, submissionId });
    core.outbox.toClient(this.client.id, { type: 'graph-accepted', submissionId }, true);
    core.outbox.log('graph.accepted', {
      clientId: this.client.id,
      submissionId,
      tasks: this.graph.specs.length,
      wants: this.wants.length,
    });
    this.#enter('want');
  }

  #wantNext(core: Core): number {
    const task = this.#wanted[this.#index];
    if (task === undefined) {
      this.#enter('let-go');
      return 0;
    }
    this.#index += 1;
    addNotedWant(core, this.client, task);
    return 1;
  }

  #letGoNext(core: Core): number {
    const task = this.#pinned[this.#index];
    if (task === undefined) {
      this.#finish(core);
      return 0;
    }
    this.#index += 1;
    task.pinCount -= 1;
    core.agenda.add(task);
    return 1;
  }

  #finish(core: Core): void {
    this.#enter('done');
    this.client.commit = undefined;
    if (this.client.deferred.length > 0) core.resumed.push(this.client);
    if (this.#isAbandoned || this.#refusal === undefined) return;
    const { submissionId } = this.graph;
    core.outbox.toClient(this.client.id, { type: 'graph-refused', submissionId, error: this.#refusal });
    const { code, message } = this.#refusal;
    core.outbox.log('graph.refused', { clientId: this.client.id, submissionId, code, message });
  }

  #pin(task: SchedulerTask): void {
    task.pinCount += 1;
    this.#pinned.push(task);
  }

  #refuse(error: RemoteError): void {
    this.#refusal = error;
    this.#enter('let-go');
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#index = 0;
  }
}

/** Ties a new task to the tasks it depends on. All of them are known first, so that a failure leaves nothing behind. */
function linkDependencies(core: Core, task: SchedulerTask, spec: TaskSpec): RemoteError | undefined {
  if (spec.dependencies.length === 0) return undefined;
  const dependencies: SchedulerTask[] = [];
  for (const key of spec.dependencies) {
    const dependency = core.table.get(key);
    const isTwice = dependency !== undefined && smallHas(dependency.dependents, task);
    if (dependency === undefined || isTwice) {
      for (const linked of dependencies) linked.dependents = smallDelete(linked.dependents, task);
      return dependencyError(spec.key, key, isTwice);
    }
    dependency.dependents = smallAdd(dependency.dependents, task);
    dependencies.push(dependency);
  }
  task.dependencies = dependencies;
  return undefined;
}

function dependencyError(key: TaskKey, dependency: TaskKey, isTwice: boolean): RemoteError {
  const details = { key, dependency };
  if (isTwice)
    return remoteError('INVALID_GRAPH', `Task ${key} names its dependency ${dependency} twice.`, details);
  return remoteError(
    'INVALID_GRAPH',
    `Task ${key} depends on ${dependency}, which neither the graph nor the cluster knows. ` +
      `It may have been released before the graph was submitted.`,
    details,
  );
}

function cycleError(cycle: readonly TaskKey[]): RemoteError {
  return remoteError(
    'INVALID_GRAPH',
    `The graph has a cycle, so none of its tasks could ever run: ${[...cycle, cycle[0]].join(' > ')}.`,
    { keys: cycle.join(', ') },
  );
}
