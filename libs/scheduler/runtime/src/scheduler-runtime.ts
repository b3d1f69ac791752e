import {
  asStimulusId,
  assertNever,
  InvalidArgumentError,
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
  RetireRequest,
  RetirementReport,
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
import { JournaledModules } from './journaled-modules.js';
import { logInstruction } from './log-instruction.js';
import { restartWorkers } from './restart-workers.js';
import { Retirements } from './retirements.js';
import { RunRequests } from './run-requests.js';
import { Sessions } from './sessions.js';
import { checkProtocolVersion, notKnown } from './hello-check.js';

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
  readonly #modules: JournaledModules;
  readonly #presence: ClientPresence;
  readonly #calls: ClientCalls;
  readonly #runs: RunRequests;
  readonly #retirements: Retirements;
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
    this.#modules = new JournaledModules(options.moduleCacheBytesMax, options.journal);
    this.#presence = new ClientPresence((type, clientId, isBack) =>
      this.#dispatch({ type, stimulusId: this.#stimulus(type), clientId, ...(isBack ? { isBack } : {}) }),
    );
    this.#calls = new ClientCalls({
      presence: this.#presence,
      say: (clientId, message) => this.#onClientMessage(clientId, message),
      knowsClient: (clientId) => this.#machine.knowsClient(clientId),
    });
    this.#runs = new RunRequests((workerId, message) => this.#sessions.workers.get(workerId)?.send(message));
    this.#retirements = new Retirements(options.timers, (workerId) =>
      this.#machine.retirementOf(workerId, this.#clock.nowMs()),
    );
    this.#wake = new WakeTimer(options.clock, options.timers, () =>
      this.#dispatch({ type: 'tick', stimulusId: this.#stimulus('tick') }),
    );
  }

  /** What the lives before left in the journal. Requires: before anything else, when there is a journal. */
  recover(records: Iterable<JournalRecord>): void {
    const all = [...records];
    this.#modules.recover(all);
    this.#dispatch({ type: 'recover', stimulusId: this.#stimulus('recover'), records: all });
  }

  // ---- control streams -------------------------------------------------------------------------------------------

  openClient(hello: ClientHello, link: Link<SchedulerToClient>): LinkListener<ClientToScheduler> {
    checkProtocolVersion(`Client ${hello.clientId}`, hello);
    const { clientId, isBack = false } = hello;
    if (isBack && !this.#machine.knowsClient(clientId)) throw notKnown(clientId);
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
    if (hello.nannyId !== undefined) this.#sessions.nannyOf.set(workerId, hello.nannyId);
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
    this.#dispatch({ type: 'nanny-registered', stimulusId: this.#stimulus('nanny-registered'), hello });
    const dispatchOf = (type: 'nanny-disconnected' | 'nanny-resumed' | 'nanny-lost'): void => {
      // Of an older session of the same nanny nothing counts any more.
      if (this.#sessions.nannies.get(nannyId) === link)
        this.#dispatch({ type, stimulusId: this.#stimulus(type), nannyId });
    };
    return {
      onMessages: (messages) => {
        for (const message of messages) this.#onNannyMessage(message);
      },
      onDisconnected: () => dispatchOf('nanny-disconnected'),
      onResumed: () => dispatchOf('nanny-resumed'),
      onEnded: () => {
        dispatchOf('nanny-lost');
        if (this.#sessions.nannies.get(nannyId) === link) this.#sessions.nannies.delete(nannyId);
      },
    };
  }

  // ---- what clients ask outside their stream ---------------------------------------------------------------------

  storeModule(hash: ModuleHash, bundle: Uint8Array): Promise<void> {
    return this.#modules.store(hash, bundle);
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

  /**
   * Has workers leave, and tells every second how far they have come; last what became of them, when all have ended. Which they
   * are, and whether there are such workers, is looked up at once. They go on leaving when nobody listens any more.
   */
  retireWorkers(
    { workers, deadlineMs, reason }: RetireRequest,
    signal: AbortSignal,
  ): AsyncIterable<readonly RetirementReport[]> {
    if (workers.length === 0)
      throw new InvalidArgumentError('Name the workers that shall retire. `spillway workers` lists them.');
    const chosen = chosenWorkers(this.#machine.listWorkers(), workers);
    return this.#retirements.follow(chosen, signal, () =>
      this.#dispatch({
        type: 'retire-workers',
        stimulusId: this.#stimulus('retire-workers'),
        workerIds: chosen.map(({ workerId }) => workerId),
        reason,
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
      }),
    );
  }

  /** Has their nannies replace workers, which leave what they have to their successors. All of them, or none. */
  restartWorkers(workers: readonly string[], reason: string): readonly WorkerId[] {
    return restartWorkers(this.#sessions, chosenWorkers(this.#machine.listWorkers(), workers), {
      reason,
      stimulusId: this.#stimulus('restart-workers'),
    });
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
    this.#wake.cancel();
    this.#sessions.closeAll(this.#stimulus('close'), reason);
  }

  // ---- events in -------------------------------------------------------------------------------------------------

  #onClientMessage(clientId: ClientId, message: ClientToScheduler): void {
    const stimulusId = this.#stimulus(message.type);
    if (message.type === 'graph-part') this.#modules.markUsed(message.tasks);
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
    this.#runs.workerLost(workerId);
    this.#sessions.forgetWorker(workerId)?.close('The worker is gone.');
    this.#dispatch({
      type: 'worker-lost',
      stimulusId: this.#stimulus('worker-lost'),
      workerId,
      onPurpose,
      ...(told?.verdict === undefined ? {} : { verdict: told.verdict }),
      ...(told?.leavesValues === undefined ? {} : { leavesValues: told.leavesValues }),
    });
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
        this.#runs.workerLost(instruction.workerId);
        this.#sessions.endWorker(instruction);
        break;
      case 'retirement-ended':
        this.#retirements.ended(instruction.report);
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
        logInstruction(this.#logger, instruction);
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

  #forgetModules(moduleHashes: readonly ModuleHash[], stimulusId: StimulusId): void {
    for (const hash of moduleHashes) this.#modules.markUnused(hash);
    for (const link of this.#sessions.workers.values())
      link.send({ type: 'unload-modules', stimulusId, moduleHashes });
  }

  // ---- small things ----------------------------------------------------------------------------------------------

  #stimulus(cause: string): StimulusId {
    return asStimulusId(`${cause}-${++this.#stimulusCount}`);
  }
}

type InstructionOf<Type extends SchedulerInstruction['type']> = Extract<SchedulerInstruction, { type: Type }>;
type SchedulerEventOf<Type extends SchedulerEvent['type']> = Extract<SchedulerEvent, { type: Type }>;
