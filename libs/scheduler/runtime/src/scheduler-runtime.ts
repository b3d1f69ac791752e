import {
  asStimulusId,
  assertNever,
  InvalidArgumentError,
  SessionExpiredError,
  WakeTimer,
  type ClientId,
  type ModuleHash,
  type StimulusId,
  type SubmissionId,
  type TaskKey,
  type WorkerId,
} from '@spillway/kernel';
import type {
  ClientHello,
  ClientToScheduler,
  Holder,
  Holding,
  JournalRecord,
  KeyInfo,
  KeyOutcome,
  NannyHello,
  NannyToScheduler,
  RunOutcome,
  RunRequest,
  ScatteredData,
  SchedulerToClient,
  SchedulerToNanny,
  SchedulerToWorker,
  TaskSpec,
  WorkerHello,
  WorkerInfo,
  WorkerToScheduler,
} from '@spillway/messages';
import type { Clock, Journal, Link, LinkListener, Logger, Timers } from '@spillway/ports';
import type { SchedulerEvent, SchedulerInstruction, SchedulerMachine } from '@spillway/scheduler-machine';
import { chosenWorkers } from './chosen-workers.js';
import { ClientCalls } from './client-calls.js';
import { ClientPresence } from './client-presence.js';
import { HeldMessages } from './held-messages.js';
import { ModuleCache } from './module-cache.js';
import { RunRequests } from './run-requests.js';
import { Sessions } from './sessions.js';
import { checkProtocolVersion } from './version-check.js';

export interface SchedulerRuntimeOptions {
  readonly machine: SchedulerMachine;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly moduleCacheBytesMax: number;
  /** Where what the next life needs is written down; without one a scheduler that dies takes everything with it. */
  readonly journal?: Journal;
}

/**
 * Feeds what arrives to the scheduler machine and performs what it asks for. Takes no decision about tasks or workers:
 * those are in `@spillway/scheduler-machine`. Its public methods are the handlers of the scheduler's gRPC service
 * (`SchedulerHandlers` in `@spillway/protocol`).
 */
export class SchedulerRuntime {
  readonly #machine: SchedulerMachine;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #sessions = new Sessions();
  readonly #modules: ModuleCache;
  readonly #presence: ClientPresence;
  readonly #calls: ClientCalls;
  readonly #runs: RunRequests;
  readonly #wake: WakeTimer;
  readonly #journal: Journal | undefined;
  readonly #held: HeldMessages;
  #stimulusCount = 0;

  constructor(options: SchedulerRuntimeOptions) {
    this.#machine = options.machine;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#journal = options.journal;
    this.#held = new HeldMessages(options.journal);
    this.#modules = new ModuleCache(options.moduleCacheBytesMax, (moduleHash) =>
      this.#journal?.append([{ type: 'module-dropped', moduleHash }]),
    );
    this.#presence = new ClientPresence((type, clientId, isBack) =>
      this.#dispatch({ type, stimulusId: this.#stimulus(type), clientId, ...(isBack ? { isBack } : {}) }),
    );
    this.#calls = new ClientCalls({
      presence: this.#presence,
      say: (clientId, message) => this.#onClientMessage(clientId, message),
      knowsClient: (clientId) => this.#machine.knowsClient(clientId),
    });
    this.#runs = new RunRequests((workerId, message) => this.#sessions.workers.get(workerId)?.send(message));
    this.#wake = new WakeTimer(options.clock, options.timers, () =>
      this.#dispatch({ type: 'tick', stimulusId: this.#stimulus('tick') }),
    );
  }

  /** What the lives before left in the journal. Requires: before anything else, when there is a journal. */
  recover(records: Iterable<JournalRecord>): void {
    const all = [...records];
    for (const record of all) {
      if (record.type === 'module-stored') this.#modules.store(record.moduleHash, record.bundle);
      else if (record.type === 'tasks-made') this.#markModulesUsed(record.tasks.map(({ spec }) => spec));
    }
    this.#dispatch({ type: 'recover', stimulusId: this.#stimulus('recover'), records: all });
  }

  // ---- control streams -------------------------------------------------------------------------------------------

  openClient(hello: ClientHello, link: Link<SchedulerToClient>): LinkListener<ClientToScheduler> {
    checkProtocolVersion(`Client ${hello.clientId}`, hello);
    const { clientId, isBack = false } = hello;
    if (isBack && !this.#machine.knowsClient(clientId))
      throw new SessionExpiredError(
        `The scheduler does not know client ${clientId} (any more): it was started anew, or the lease is over.`,
      );
    this.#sessions.clients.get(clientId)?.close('The client opened another session.');
    this.#sessions.clients.set(clientId, link);
    this.#presence.streamConnected(clientId, isBack);
    return {
      onMessages: (messages) => {
        for (const message of messages) this.#onClientMessage(clientId, message);
      },
      onDisconnected: () => this.#presence.streamLost(clientId),
      onResumed: () => this.#presence.streamConnected(clientId),
      onEnded: () => {
        if (this.#sessions.clients.get(clientId) !== link) return;
        this.#sessions.clients.delete(clientId);
        this.#presence.streamLost(clientId);
      },
    };
  }

  openWorker(hello: WorkerHello, link: Link<SchedulerToWorker>): LinkListener<WorkerToScheduler> {
    checkProtocolVersion(`Worker ${hello.name}`, hello);
    const { workerId } = hello;
    this.#sessions.workers.get(workerId)?.close('The worker opened another session.');
    this.#sessions.workers.set(workerId, link);
    this.#dispatch({ type: 'worker-registered', stimulusId: this.#stimulus('worker-registered'), hello });
    if (this.#sessions.workers.get(workerId) !== link)
      throw new InvalidArgumentError(
        `Worker ${workerId} (${hello.name}) was reported dead or has been replaced. Start another process.`,
      );
    return {
      onMessages: (messages) => {
        for (const message of messages) this.#onWorkerMessage(workerId, message);
      },
      onEnded: (error) => {
        if (this.#sessions.workers.get(workerId) !== link) return;
        const goodbye = this.#sessions.closingWorkers.get(workerId);
        this.#workerLost(workerId, error === undefined || goodbye !== undefined, goodbye);
      },
    };
  }

  openNanny(hello: NannyHello, link: Link<SchedulerToNanny>): LinkListener<NannyToScheduler> {
    checkProtocolVersion(`Nanny ${hello.name}`, hello);
    const { nannyId } = hello;
    this.#sessions.nannies.get(nannyId)?.close('The nanny opened another session.');
    this.#sessions.nannies.set(nannyId, link);
    return {
      onMessages: (messages) => {
        for (const message of messages) this.#onNannyMessage(message);
      },
      onEnded: () => {
        if (this.#sessions.nannies.get(nannyId) !== link) return;
        this.#sessions.nannies.delete(nannyId);
        this.#dispatch({ type: 'nanny-lost', stimulusId: this.#stimulus('nanny-lost'), nannyId });
      },
    };
  }

  // ---- what clients ask outside their stream ---------------------------------------------------------------------

  /** Resolves when the bundle is there for the next life, too. */
  storeModule(hash: ModuleHash, bundle: Uint8Array): Promise<void> {
    const isNew = this.#modules.find(hash) === undefined;
    this.#modules.store(hash, bundle);
    const journal = this.#journal;
    if (journal === undefined) return Promise.resolve();
    if (isNew) journal.append([{ type: 'module-stored', moduleHash: hash, bundle }]);
    return new Promise((resolve) => journal.afterwards(resolve));
  }

  findModule(hash: ModuleHash): Uint8Array | undefined {
    return this.#modules.find(hash);
  }

  describeKeys(keys: readonly TaskKey[]): readonly KeyInfo[] {
    return keys.map((key) => this.#machine.describe(key));
  }

  listWorkers(): readonly WorkerInfo[] {
    return this.#machine.listWorkers();
  }

  hasWhat(workerId: WorkerId): readonly Holding[] | undefined {
    return this.#machine.hasWhat(workerId);
  }

  planScatter(nbytes: number, copies: number, workers: readonly string[]): readonly Holder[] {
    return this.#machine.planScatter(nbytes, copies, workers);
  }

  async runOnWorkers(
    request: RunRequest,
    workers: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly { readonly workerId: WorkerId; readonly outcome: RunOutcome }[]> {
    const stimulusId = this.#stimulus('run');
    return Promise.all(
      chosenWorkers(this.#machine.listWorkers(), workers).map(async ({ workerId }) => ({
        workerId,
        outcome: await this.#runs.run(workerId, request, stimulusId, signal),
      })),
    );
  }

  async submitGraph(
    clientId: ClientId,
    submissionId: SubmissionId,
    parts: AsyncIterable<readonly TaskSpec[]>,
    wants: readonly TaskKey[],
  ): Promise<void> {
    return this.#calls.submitGraph(clientId, submissionId, parts, wants);
  }

  async waitForKeys(
    clientId: ClientId,
    keys: readonly TaskKey[],
    signal: AbortSignal,
  ): Promise<readonly KeyOutcome[]> {
    return this.#calls.waitForKeys(clientId, keys, signal);
  }

  async registerData(clientId: ClientId, data: ScatteredData, signal: AbortSignal): Promise<void> {
    return this.#calls.registerData(clientId, data, signal);
  }

  releaseKeys(clientId: ClientId, keys: readonly TaskKey[]): void {
    this.#onClientMessage(clientId, { type: 'client-releases-keys', keys });
  }

  cancelKeys(clientId: ClientId, keys: readonly TaskKey[], force: boolean): void {
    this.#onClientMessage(clientId, { type: 'cancel-keys', keys, force });
  }

  closeClient(clientId: ClientId): void {
    this.#onClientMessage(clientId, { type: 'client-closing' });
  }

  /** Tells workers, nannies and clients to end, and stops. */
  close(reason: string): void {
    const stimulusId = this.#stimulus('close');
    for (const link of this.#sessions.workers.values())
      link.send({ type: 'close-worker', stimulusId, reason });
    for (const link of this.#sessions.nannies.values())
      link.send({ type: 'close-nanny', stimulusId, reason });
    this.#wake.cancel();
    this.#sessions.closeAll(reason);
  }

  // ---- events in -------------------------------------------------------------------------------------------------

  #onClientMessage(clientId: ClientId, message: ClientToScheduler): void {
    const stimulusId = this.#stimulus(message.type);
    if (message.type === 'graph-part') this.#markModulesUsed(message.tasks);
    this.#dispatch({ ...message, clientId, stimulusId });
    if (message.type === 'client-releases-keys' || message.type === 'cancel-keys')
      this.#calls.keysLetGo(clientId, message.keys);
  }

  #onWorkerMessage(workerId: WorkerId, message: WorkerToScheduler): void {
    if (message.type === 'run-done') this.#runs.settle(message.requestId, message.outcome);
    else if (message.type === 'worker-closing') this.#sessions.closingWorkers.set(workerId, message);
    else this.#dispatch({ ...message, workerId });
  }

  #onNannyMessage(message: NannyToScheduler): void {
    if (message.type !== 'worker-exited') return;
    const { workerId, cause } = message.verdict;
    const onPurpose = cause.kind === 'closed' || cause.kind === 'recycled';
    this.#workerLost(workerId, onPurpose, message);
  }

  #workerLost(
    workerId: WorkerId,
    onPurpose: boolean,
    told?: Pick<SchedulerEventOf<'worker-lost'>, 'verdict' | 'leavesValues'>,
  ): void {
    this.#forgetWorker(workerId)?.close('The worker is gone.');
    this.#dispatch({
      type: 'worker-lost',
      stimulusId: this.#stimulus('worker-lost'),
      workerId,
      onPurpose,
      ...(told?.verdict === undefined ? {} : { verdict: told.verdict }),
      ...(told?.leavesValues === undefined ? {} : { leavesValues: told.leavesValues }),
    });
  }

  #forgetWorker(workerId: WorkerId): Link<SchedulerToWorker> | undefined {
    const link = this.#sessions.workers.get(workerId);
    this.#sessions.workers.delete(workerId);
    this.#sessions.closingWorkers.delete(workerId);
    this.#runs.workerLost(workerId);
    return link;
  }

  #dispatch(event: SchedulerEvent): void {
    const instructions = this.#machine.handle(event, this.#clock.nowMs());
    for (const instruction of instructions) this.#perform(instruction);
    this.#wake.arm(this.#machine.nextWakeMs);
  }

  // ---- instructions out ------------------------------------------------------------------------------------------

  #perform(instruction: SchedulerInstruction): void {
    switch (instruction.type) {
      case 'journal':
        this.#journal?.append(instruction.records);
        break;
      case 'send-to-worker':
        this.#sendToWorker(instruction);
        break;
      case 'send-to-client':
        this.#sendToClient(instruction);
        break;
      case 'end-worker-session':
        this.#endWorkerSession(instruction);
        break;
      case 'forget-client':
        this.#sessions.clients.get(instruction.clientId)?.close('The lease of this client is over.');
        this.#sessions.clients.delete(instruction.clientId);
        this.#calls.clientForgotten(instruction.clientId);
        break;
      case 'forget-modules':
        this.#forgetModules(instruction.moduleHashes, instruction.stimulusId);
        break;
      case 'log-event':
        this.#logger.info(
          {
            event: instruction.event,
            stimulusId: instruction.stimulusId,
            ...instruction.fields,
            keys: instruction.keys,
          },
          instruction.event,
        );
        break;
      default:
        assertNever(instruction, 'scheduler instruction');
    }
  }

  #sendToWorker({ workerId, message, isBinding }: InstructionOf<'send-to-worker'>): void {
    // Of the session that it is said in: another one begins without it.
    const link = this.#sessions.workers.get(workerId);
    this.#held.send(`worker ${workerId}`, isBinding === true, () => link?.send(message));
  }

  #sendToClient({ clientId, message, isBinding }: InstructionOf<'send-to-client'>): void {
    const link = this.#sessions.clients.get(clientId);
    this.#held.send(`client ${clientId}`, isBinding === true, () => {
      link?.send(message);
      this.#calls.notify(clientId, message);
    });
  }

  #endWorkerSession({ workerId, stimulusId, reason }: InstructionOf<'end-worker-session'>): void {
    const link = this.#forgetWorker(workerId);
    link?.send({ type: 'close-worker', stimulusId, reason });
    link?.close(reason);
  }

  #forgetModules(moduleHashes: readonly ModuleHash[], stimulusId: StimulusId): void {
    for (const hash of moduleHashes) this.#modules.markUnused(hash);
    for (const link of this.#sessions.workers.values())
      link.send({ type: 'unload-modules', stimulusId, moduleHashes });
  }

  // ---- small things ----------------------------------------------------------------------------------------------

  #markModulesUsed(tasks: readonly TaskSpec[]): void {
    for (const task of tasks)
      if (task.function.kind === 'bundle') this.#modules.markUsed(task.function.moduleHash);
  }

  #stimulus(cause: string): StimulusId {
    return asStimulusId(`${cause}-${++this.#stimulusCount}`);
  }
}

type InstructionOf<Type extends SchedulerInstruction['type']> = Extract<SchedulerInstruction, { type: Type }>;
type SchedulerEventOf<Type extends SchedulerEvent['type']> = Extract<SchedulerEvent, { type: Type }>;
