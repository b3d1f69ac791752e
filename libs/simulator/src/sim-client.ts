import {
  asClientId,
  asSubmissionId,
  asTaskKey,
  must,
  NoValidWorkerError,
  type SeededRandom,
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
  isGone = false;

  constructor(
    private readonly world: SimWorld,
    private readonly random: SeededRandom,
    name: string,
  ) {
    this.clientId = asClientId(name);
  }

  async connect(): Promise<void> {
    const hello = { clientId: this.clientId, protocol: PROTOCOL_VERSION, softwareVersion: 'simulated' };
    this.#link = await this.world.network.connect<ClientToScheduler, SchedulerToClient>(
      this.clientId,
      {
        onMessages: (messages) => {
          for (const message of messages) this.#onMessage(message);
        },
        onEnded: () => {
          // The session did not outlive a cut: everything it wanted is void for it, as for a real client.
          this.isGone = true;
          this.wanted.clear();
        },
      },
      (link) => this.world.scheduler.openClient(hello, link),
    );
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
    parts.forEach((tasks, partIndex) => this.#send({ type: 'graph-part', submissionId, partIndex, tasks }));
    this.#send({ type: 'graph-commit', submissionId, partCount: parts.length, wants: graph.wants });
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
    this.#send({ type: 'data-scattered', key, nbytes: SCATTERED_BYTES, holders });
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
    must(this.#link, 'link').close('done');
  }

  #send(message: ClientToScheduler): void {
    this.#link?.send(message);
  }

  #onMessage(message: SchedulerToClient): void {
    switch (message.type) {
      case 'graph-accepted':
        this.#acceptedCount += 1;
        break;
      case 'graph-refused':
        this.refusals.push(message.error);
        break;
      case 'key-in-memory':
        this.#know(message.key, { state: 'memory', holders: message.holders, inline: message.inline });
        break;
      case 'key-erred':
        this.#know(message.key, { state: 'erred', error: message.error });
        break;
      case 'key-cancelled':
        this.#know(message.key, { state: 'cancelled' });
        break;
      case 'key-lost':
      case 'key-retried':
        this.#know(message.key, { state: 'pending' });
        break;
    }
  }

  #know(key: TaskKey, known: Known): void {
    if (this.wanted.has(key)) this.wanted.set(key, known);
  }
}
