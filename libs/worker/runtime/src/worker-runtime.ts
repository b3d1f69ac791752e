import {
  asStimulusId,
  assertNever,
  must,
  UnavailableError,
  WakeTimer,
  type SpillwayError,
  type StimulusId,
  type TaskKey,
} from '@spillway/kernel';
import type {
  ExecutingTask,
  LoopDelayReport,
  SchedulerToWorker,
  TrimReport,
  WorkerHello,
  WorkerMetrics,
  WorkerToScheduler,
} from '@spillway/messages';
import type {
  AdoptedValue,
  ArrivedValue,
  Clock,
  ExecutionOutcome,
  Link,
  LinkListener,
  Logger,
  PeerLink,
  TaskExecutor,
  TaskExecutorListener,
  TaskLogLine,
  SpilledRead,
  Timers,
  TransferControl,
  ValueSource,
} from '@spillway/ports';
import type { WorkerEvent, WorkerInstruction, WorkerMachine } from '@spillway/worker-machine';
import { builtInOf } from './built-ins.js';
import { EventQueue } from './event-queue.js';
import type { WorkerMemory } from './memory/worker-memory.js';
import { outcomeEvent } from './outcome-event.js';
import { performGather } from './perform/gather.js';
import { TaskStarter } from './perform/execute.js';

export interface WorkerRuntimeOptions {
  readonly machine: WorkerMachine;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly memory: WorkerMemory;
  /** Made with this runtime as its listener. */
  readonly makeExecutor: (listener: TaskExecutorListener) => TaskExecutor;
  /** Opens a session with the scheduler. */
  readonly openLink: (
    hello: () => WorkerHello,
    listener: LinkListener<SchedulerToWorker>,
  ) => Promise<Link<WorkerToScheduler>>;
  /** Who we are, without what we hold; asked at each registration. */
  readonly identity: () => Omit<WorkerHello, 'holdings' | 'executing'>;
  readonly heartbeatIntervalMs: number;
  /** Called with each heartbeat, whether the scheduler can be reached or not: the control loop turns. */
  readonly onHeartbeat?: () => void;
  /** What a heartbeat says beside memory and what runs. */
  readonly measure: () => Omit<WorkerMetrics, 'executing' | 'memory' | 'isUnderPressure'>;
  /** How late the control loop was since this was asked last. */
  readonly loopDelay: () => Promise<LoopDelayReport>;
  /**
   * The worker cannot or must not go on: `recycle` wants another in its place, `closed` was asked for, `lost` means that
   * the scheduler is gone, and `retired` that it is to close for good; with `leavesValues`, what it has is for a worker of its
   * name that comes later.
   */
  readonly onEnd: (
    how: 'recycle' | 'closed' | 'lost' | 'retired',
    reason: string,
    leavesValues?: boolean,
  ) => void;
}

/** Said between two sessions they are news in the next: how runs ended, and which values came or went. */
const OUTLIVE_A_SESSION: ReadonlySet<WorkerToScheduler['type']> = new Set([
  'task-finished',
  'task-erred',
  'task-handed-back',
  'replicas-added',
  'replicas-lost',
]);

/** Runs whose end is still to be told count as going on until then. */
const endedRuns = (messages: readonly WorkerToScheduler[]): NonNullable<WorkerHello['executing']> =>
  messages.flatMap((message) => ('runId' in message ? [{ key: message.key, runId: message.runId }] : []));

/**
 * Feeds what arrives to the worker machine and performs what it asks for. Takes no decision about tasks: those are in
 * `@spillway/worker-machine`. User code, encoding and bulk transfers run in other threads, behind the executor and the
 * peer link.
 */
export class WorkerRuntime implements TaskExecutorListener, ValueSource {
  readonly #options: WorkerRuntimeOptions;
  readonly #machine: WorkerMachine;
  readonly #memory: WorkerMemory;
  readonly #events: EventQueue<WorkerEvent>;
  readonly #executor: TaskExecutor;
  readonly #starter: TaskStarter;
  readonly #wake: WakeTimer;
  #peers: PeerLink | undefined;
  #link: Link<WorkerToScheduler> | undefined;
  #heartbeat: { cancel(): void } | undefined;
  /** What the machine said while there was no session, for the next one. */
  #unsaid: WorkerToScheduler[] = [];
  #stimulusCount = 0;
  #ended = false;

  constructor(options: WorkerRuntimeOptions) {
    this.#options = options;
    this.#machine = options.machine;
    this.#memory = options.memory;
    this.#events = new EventQueue((event) => this.#take(event));
    this.#executor = options.makeExecutor(this);
    this.#starter = new TaskStarter(options.memory.store, this.#executor, this);
    this.#memory.connect({
      executor: this.#executor,
      tellTasks: (event) => this.dispatch(event),
      busyWith: (nowMs) => this.#machine.slotHeads(nowMs),
      running: () => this.#machine.executing(options.clock.nowMs()).map(({ key }) => key),
      recycle: (reason) => options.onEnd('recycle', reason),
    });
    this.#wake = new WakeTimer(options.clock, options.timers, () =>
      this.dispatch({ type: 'tick', stimulusId: this.stimulus('tick') }),
    );
  }

  /** An earlier life of the worker left these, and the store has them. Requires: before `start`, which tells of them. */
  adopt(values: readonly AdoptedValue[]): void {
    this.#memory.tell({ type: 'values-adopted', values });
    this.dispatch({ type: 'values-adopted', stimulusId: this.stimulus('values-adopted'), values });
  }

  /** Registers with the scheduler; `peers` fetches from other workers. Resolves once the scheduler has accepted us. */
  async start(peers: PeerLink & TransferControl): Promise<void> {
    this.#peers = peers;
    await this.#register();
    if (this.#ended) return;
    this.#memory.start(peers);
    const { timers, heartbeatIntervalMs } = this.#options;
    this.#heartbeat = timers.every(heartbeatIntervalMs, () => this.#sendHeartbeat());
  }

  /**
   * Says good-bye, so that nobody is charged for our going, and ends the threads. `leavesValues`: to a next life of the
   * worker; what is not on disk yet is written there, as far as there is time.
   */
  async close(reason: string, leavesValues = false): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#heartbeat?.cancel();
    this.#wake.cancel();
    this.#memory.stop();
    this.#link?.send({ type: 'worker-closing', stimulusId: this.stimulus('close'), reason, leavesValues });
    this.#link?.close(reason);
    await Promise.all([this.#executor.close(), leavesValues ? this.#memory.writeOut() : undefined]);
  }

  /**
   * It has been told to end: asks the scheduler to see to what only this worker has, which ends in `onEnd`. False where there
   * is no session. `mayLeave`: a worker of this name can take over what is on disk. `leavesAll`: one starts at once.
   */
  requestRetirement(
    reason: string,
    deadlineMs: number,
    { mayLeave, leavesAll }: { readonly mayLeave: boolean; readonly leavesAll: boolean },
  ): boolean {
    if (this.#ended || this.#link === undefined) return false;
    const stimulusId = this.stimulus('request-retirement');
    const leaving = leavesAll ? { mayLeave, leavesAll } : { mayLeave };
    this.#link.send({ type: 'request-retirement', stimulusId, reason, deadlineMs, ...leaving });
    return true;
  }

  dispatch(event: WorkerEvent): void {
    if (!this.#ended) this.#events.push(event);
  }

  stimulus(cause: string): StimulusId {
    return asStimulusId(`${cause}-${++this.#stimulusCount}`);
  }

  // ---- the data service asks -------------------------------------------------------------------------------------

  serve(key: TaskKey): ReturnType<ValueSource['serve']> {
    return this.#memory.store.serve(key);
  }

  reportUnreadable(read: SpilledRead, reason: 'damaged' | 'gone'): void {
    this.#memory.store.reportUnreadable(read, reason);
  }

  /** The store has lost these: what it had on disk is not what was written. */
  onValuesLost(keys: readonly TaskKey[]): void {
    for (const key of keys) this.#memory.tell({ type: 'value-freed', key });
    this.dispatch({ type: 'values-lost', stimulusId: this.stimulus('values-lost'), keys });
  }

  accept(value: ArrivedValue): Promise<void> {
    if (this.#ended)
      return Promise.reject(new UnavailableError('This worker is closing; put the value on another one.'));
    this.#memory.store.put(value.key, value.payload);
    const nbytes = value.payload.data.byteLength;
    this.dispatch({ type: 'data-put', stimulusId: this.stimulus('data-put'), key: value.key, nbytes });
    return Promise.resolve();
  }

  // ---- the executor reports --------------------------------------------------------------------------------------

  onOutcomes(outcomes: readonly ExecutionOutcome[]): void {
    for (const outcome of outcomes) {
      // Order matters: its inputs may leave RAM to make room for its result, and a value is in the store before anybody
      // hears of it.
      this.#starter.ended(outcome);
      if (outcome.type === 'execute-success') this.#memory.store.put(outcome.key, outcome.result);
      this.dispatch(outcomeEvent(outcome, this.stimulus(outcome.type)));
    }
  }

  onLog({ key, level, text }: TaskLogLine): void {
    this.#options.logger[level]({ event: 'task.log', key }, text);
  }

  onSlotStuck(slot: number, key: TaskKey, forMs: number): void {
    this.dispatch({ type: 'slot-stuck', stimulusId: this.stimulus('slot-stuck'), slot, key, forMs });
  }

  // ---- the scheduler says ----------------------------------------------------------------------------------------

  async #register(): Promise<void> {
    const { openLink, identity } = this.#options;
    const hello = (): WorkerHello => ({
      ...identity(),
      holdings: this.#machine.holdings(),
      executing: [...this.#machine.runs(), ...endedRuns(this.#unsaid)],
    });
    const link = await openLink(hello, {
      onMessages: (messages) => {
        for (const message of messages) this.#onMessage(message);
      },
      onDisconnected: (reason) =>
        this.#options.logger.warn({ event: 'link.disconnected', reason }, 'connection to the scheduler lost'),
      onResumed: () =>
        this.#options.logger.info({ event: 'link.resumed' }, 'connection to the scheduler resumed'),
      onEnded: (error) => this.#onLinkEnded(error),
    });
    // Closed meanwhile: nobody would end this session.
    if (this.#ended) link.close('The worker has closed.');
    else {
      this.#link = link;
      for (const message of this.#unsaid.splice(0)) link.send(message);
    }
  }

  #say(message: WorkerToScheduler): void {
    if (this.#link !== undefined) this.#link.send(message);
    else if (OUTLIVE_A_SESSION.has(message.type)) this.#unsaid.push(message);
  }

  #onMessage(message: SchedulerToWorker): void {
    switch (message.type) {
      case 'run-function':
        void this.#runFunction(message);
        break;
      case 'unload-modules':
        this.#executor.unloadModules(message.moduleHashes);
        break;
      case 'close-worker':
        if (message.retired === undefined) this.#options.onEnd('closed', message.reason);
        else this.#options.onEnd('retired', message.reason, message.retired.leavesValues);
        break;
      default:
        this.dispatch(message);
    }
  }

  async #runFunction({
    requestId,
    request,
  }: Extract<SchedulerToWorker, { type: 'run-function' }>): Promise<void> {
    const { loopDelay } = this.#options;
    const trimMemory = (): Promise<TrimReport> => this.#memory.trimNow();
    const builtIn = builtInOf(request.function, { trimMemory, loopDelay });
    const outcome = await (builtIn?.() ?? this.#executor.runAside(request));
    this.#link?.send({ type: 'run-done', stimulusId: this.stimulus('run-done'), requestId, outcome });
  }

  /** The session is over. One that merely expired is begun anew with what we hold; any other end is ours too. */
  #onLinkEnded(error: SpillwayError | undefined): void {
    if (this.#ended) return;
    this.#link = undefined;
    this.dispatch({ type: 'session-lost', stimulusId: this.stimulus('session-lost') });
    if (error?.code !== 'SESSION_EXPIRED') {
      this.#options.onEnd(
        error === undefined ? 'closed' : 'lost',
        error?.message ?? 'The scheduler ended the session.',
      );
      return;
    }
    this.#options.logger.warn({ event: 'link.expired', err: error }, 'session expired, registering again');
    this.#registerAgain().catch((err: unknown) => {
      this.#options.logger.error({ err }, 'could not register again');
      this.#options.onEnd('lost', 'The scheduler refused a new session.');
    });
  }

  async #registerAgain(): Promise<void> {
    await this.#register();
    this.dispatch({ type: 'session-begun', stimulusId: this.stimulus('session-begun') });
  }

  #sendHeartbeat(): void {
    const { clock, measure, onHeartbeat } = this.#options;
    onHeartbeat?.();
    const memory = this.#memory.readings();
    const { isUnderPressure } = this.#memory;
    const executing = this.#machine.executing(clock.nowMs()).map((run) => this.#withPeak(run));
    this.#link?.send({
      type: 'heartbeat',
      stimulusId: this.stimulus('heartbeat'),
      metrics: { ...measure(), memory, isUnderPressure, executing },
    });
  }

  #withPeak(run: ExecutingTask): ExecutingTask {
    const peakBytes = this.#memory.peakBytesOf(run.runId);
    return peakBytes === undefined ? run : { ...run, peakBytes: Math.round(peakBytes) };
  }

  #take(event: WorkerEvent): void {
    const instructions = this.#machine.handle(event, this.#options.clock.nowMs());
    for (const instruction of instructions) this.#perform(instruction);
    this.#wake.arm(this.#machine.nextWakeMs);
  }

  // ---- instructions ----------------------------------------------------------------------------------------------

  #perform(instruction: WorkerInstruction): void {
    switch (instruction.type) {
      case 'execute':
        this.#starter.start(instruction);
        break;
      case 'stop-execution':
        this.#starter.stop(instruction);
        break;
      case 'gather-dependencies':
        void performGather(instruction, this.#memory.store, must(this.#peers, 'peer link'), this);
        break;
      case 'forget-peer':
        this.#peers?.forget(instruction.peerId);
        break;
      case 'free-values':
        for (const key of instruction.keys) this.#memory.store.free(key);
        this.#executor.forgetCopies(instruction.keys);
        break;
      case 'send-to-scheduler':
        this.#say(instruction.message);
        break;
      case 'recycle-worker':
        this.#options.onEnd('recycle', instruction.reason);
        break;
      default:
        assertNever(instruction, 'worker instruction');
    }
  }
}
