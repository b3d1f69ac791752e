import {
  asClientId,
  asSubmissionId,
  asTaskKey,
  NoValidWorkerError,
  type SeededRandom,
  type SubmissionId,
  type TaskKey,
  type WorkerId,
} from '@spillway/kernel';
import {
  PROTOCOL_VERSION,
  type ClientToScheduler,
  type Holder,
  type Payload,
  type RemoteError,
  type SchedulerToClient,
} from '@spillway/messages';
import type { Link } from '@spillway/ports';
import { valueOf } from './sim-value.js';
import type { SimWorld } from './sim-world.js';
import { randomGraph, type Graph } from './workload.js';

/** What a client knows of a key it wants. */
export type Known =
  | { readonly state: 'pending' }
  | { readonly state: 'memory'; readonly holders: readonly Holder[]; readonly inline: Payload | undefined }
  | { readonly state: 'erred'; readonly error: RemoteError }
  | { readonly state: 'cancelled' };

const SCATTERED_BYTES = 50;
/** As when the program is interrupted between the two. */
const UNTOLD_CHANCE = 0.1;

/** A simulated client: submits random graphs, puts data on workers, holds and releases futures, cancels, retries, and comes and goes. */
export class SimClient {
  readonly clientId;
  readonly graphs: Graph[] = [];
  /** Data it has put on workers, told the scheduler or not. */
  readonly scattered = new Set<TaskKey>();
  readonly wanted = new Map<TaskKey, Known>();
  readonly refusals: RemoteError[] = [];
  #acceptedCount = 0;
  #link: Link<ClientToScheduler> | undefined;
  /** Graphs that were said and not answered. */
  readonly #unanswered = new Map<
    SubmissionId,
    { readonly said: ClientToScheduler[]; readonly wants: Set<TaskKey> }
  >();
  /** Data that was put, and of which the scheduler has not said that it knows it. */
  readonly #unconfirmed = new Map<TaskKey, ClientToScheduler>();
  isGone = false;

  constructor(
    private readonly world: SimWorld,
    private readonly random: SeededRandom,
    name: string,
  ) {
    this.clientId = asClientId(name);
  }

  async connect(isBack = false): Promise<void> {
    const hello = {
      clientId: this.clientId,
      protocol: PROTOCOL_VERSION,
      softwareVersion: 'simulated',
      isBack,
    };
    this.#link = await this.world.network.connect<ClientToScheduler, SchedulerToClient>(
      this.clientId,
      {
        onMessages: (messages) => {
          for (const message of messages) this.#onMessage(message);
        },
        onEnded: (error) => {
          this.#link = undefined;
          if (error?.code === 'SESSION_EXPIRED' && !this.isGone) this.#resume();
          else this.#giveUp();
        },
      },
      (link) => this.world.scheduler.openClient(hello, link),
    );
  }

  /** Another life of the scheduler. */
  #resume(): void {
    this.connect(true).then(
      () => {
        if (this.isGone) return;
        for (const message of this.#unconfirmed.values()) this.#send(message);
        this.#send({ type: 'client-resumes', keys: [...this.wanted.keys()], isLast: true });
        for (const { said } of this.#unanswered.values()) for (const message of said) this.#send(message);
      },
      () => this.#giveUp(),
    );
  }

  /** The session did not outlive a cut, or the scheduler a crash: everything it wanted is void for it, as for a real client. */
  #giveUp(): void {
    this.isGone = true;
    this.wanted.clear();
  }

  get isSettled(): boolean {
    if (this.isGone) return true;
    if (this.#acceptedCount + this.refusals.length < this.graphs.length) return false;
    return [...this.wanted.values()].every(({ state }) => state !== 'pending');
  }

  submit(): void {
    if (this.isGone) return;
    const number = this.graphs.length;
    const graph = randomGraph(this.random, `${this.clientId}.${number}`, this.world);
    this.graphs.push(graph);
    for (const key of graph.wants) this.wanted.set(key, { state: 'pending' });
    const submissionId = asSubmissionId(`${this.clientId}.${number}`);
    const half = Math.ceil(graph.tasks.length / 2);
    const parts = [graph.tasks.slice(0, half), graph.tasks.slice(half)].filter(({ length }) => length > 0);
    const said: ClientToScheduler[] = parts.map((tasks, partIndex) => ({
      type: 'graph-part',
      submissionId,
      partIndex,
      tasks,
    }));
    said.push({ type: 'graph-commit', submissionId, partCount: parts.length, wants: graph.wants });
    this.#unanswered.set(submissionId, { said, wants: new Set(graph.wants) });
    for (const message of said) this.#send(message);
  }

  /** Puts a value on a worker or two, and tells the scheduler if it lives so long. */
  async scatterSome(): Promise<void> {
    if (this.isGone) return;
    const key = asTaskKey(`${this.clientId}.data-${this.scattered.size}`);
    this.scattered.add(key);
    const chosen = this.#planScatter();
    const put = await Promise.all(chosen.map((workerId) => this.#put(workerId, key)));
    const holders = chosen.filter((_, index) => put[index]);
    if (this.#isGone() || holders.length === 0 || this.random.chance(UNTOLD_CHANCE)) return;
    this.wanted.set(key, { state: 'pending' });
    const message: ClientToScheduler = { type: 'data-scattered', key, nbytes: SCATTERED_BYTES, holders };
    this.#unconfirmed.set(key, message);
    this.#send(message);
  }

  #planScatter(): readonly WorkerId[] {
    try {
      const plan = this.world.scheduler.planScatter(SCATTERED_BYTES, 1 + this.random.below(2), []);
      return plan.map(({ workerId }) => workerId);
    } catch (error) {
      if (error instanceof NoValidWorkerError) return [];
      throw error;
    }
  }

  /** False when nobody was there who took it. */
  #put(workerId: WorkerId, key: TaskKey): Promise<boolean> {
    return new Promise((resolve) => {
      const { time, network, workers } = this.world;
      time.after(network.delayMs(), () => {
        const worker = workers.get(workerId);
        const answer = (isPut: boolean): void => void time.after(network.delayMs(), () => resolve(isPut));
        if (worker?.isAlive !== true) answer(false);
        else
          void worker.accept({ key, payload: valueOf(key, [], SCATTERED_BYTES) }).then(
            () => answer(true),
            () => answer(false),
          );
      });
    });
  }

  /** Asked again after a wait: it may have changed. */
  #isGone(): boolean {
    return this.isGone;
  }

  /** Lets go of some key, finished or not. */
  releaseSome(): void {
    const key = this.random.pick([...this.wanted.keys()]);
    if (key === undefined || this.isGone) return;
    this.wanted.delete(key);
    this.#unconfirmed.delete(key);
    this.#send({ type: 'client-releases-keys', keys: [key] });
  }

  cancelSome(): void {
    const key = this.random.pick([...this.wanted.keys()]);
    if (key === undefined || this.isGone) return;
    this.#send({ type: 'cancel-keys', keys: [key], force: this.random.chance(0.5) });
  }

  retrySome(): void {
    const erred = [...this.wanted].filter(([, known]) => known.state === 'erred').map(([key]) => key);
    const key = this.random.pick(erred);
    if (key === undefined || this.isGone) return;
    this.#send({ type: 'retry-keys', keys: [key] });
  }

  /** Crashes: nobody says good-bye. */
  vanish(): void {
    this.isGone = true;
    this.wanted.clear();
    this.world.network.processDied(this.clientId);
  }

  leave(): void {
    if (this.isGone) return;
    this.#send({ type: 'client-closing' });
    this.isGone = true;
    this.wanted.clear();
    this.#link?.close('done');
  }

  #send(message: ClientToScheduler): void {
    this.#link?.send(message);
  }

  #onMessage(message: SchedulerToClient): void {
    switch (message.type) {
      case 'graph-accepted':
        if (this.#unanswered.delete(message.submissionId)) this.#acceptedCount += 1;
        break;
      case 'graph-refused':
        this.#unanswered.delete(message.submissionId);
        this.refusals.push(message.error);
        break;
      case 'key-in-memory':
        this.#know(message.key, { state: 'memory', holders: message.holders, inline: message.inline });
        break;
      case 'key-erred':
        this.#know(message.key, { state: 'erred', error: message.error });
        break;
      case 'key-cancelled':
        if (!this.#isUnheard(message.key)) this.#know(message.key, { state: 'cancelled' });
        break;
      case 'key-lost':
      case 'key-retried':
        this.#know(message.key, { state: 'pending' });
        break;
    }
  }

  /** That the scheduler does not know it yet is no news. */
  #isUnheard(key: TaskKey): boolean {
    return this.#unconfirmed.has(key) || [...this.#unanswered.values()].some(({ wants }) => wants.has(key));
  }

  #know(key: TaskKey, known: Known): void {
    if (known.state !== 'cancelled') this.#unconfirmed.delete(key);
    if (this.wanted.has(key)) this.wanted.set(key, known);
  }
}
