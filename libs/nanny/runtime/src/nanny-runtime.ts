import { asStimulusId, assertNever, WakeTimer, type StimulusId, type WorkerId } from '@spillway/kernel';
import type { NannyToScheduler, NannyToWorker, Quarantine, SchedulerToNanny } from '@spillway/messages';
import type { NannyEvent, NannyInstruction, NannyMachine } from '@spillway/nanny-machine';
import type {
  Child,
  ChildProcesses,
  Clock,
  Link,
  LinkListener,
  Logger,
  ProcessMemory,
  Timers,
} from '@spillway/ports';
import { isWorkerMessage } from './worker-message.js';

export interface NannyRuntimeOptions {
  readonly machine: NannyMachine;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly children: ChildProcesses;
  /** Of workers, from outside. */
  readonly processMemory: ProcessMemory;
  /** How often the kernel has ended a process of this control group for want of memory. */
  readonly oomKillCount: () => number;
  /** Command line of a worker. */
  readonly workerArgs: (workerId: WorkerId, name: string) => readonly string[];
  /** Asked at each start: a worker starts with the memory limit of that moment. */
  readonly workerEnviron: () => Readonly<Record<string, string | null>>;
  /** Options of `node` for a worker, asked at each start. */
  readonly workerExecArgv: () => readonly string[];
  /** The process is gone, however it ended: what it left is to be removed. */
  readonly onWorkerGone: (workerId: WorkerId) => void;
  readonly openLink: (listener: LinkListener<SchedulerToNanny>) => Promise<Link<NannyToScheduler>>;
}

/** Why a nanny ended. */
export type NannyEnd = 'asked' | 'scheduler-lost';

/** Feeds what happens to worker processes to the nanny machine and performs what it asks for. */
export class NannyRuntime {
  readonly #options: NannyRuntimeOptions;
  readonly #machine: NannyMachine;
  readonly #wake: WakeTimer;
  readonly #children = new Map<WorkerId, Child>();
  readonly #readyWaiters: (() => void)[] = [];
  #link: Link<NannyToScheduler> | undefined;
  #stimulusCount = 0;
  #finish!: (how: NannyEnd) => void;
  #end: NannyEnd = 'asked';
  #isFinished = false;
  #oomKillCount: number;
  #hasLeftValues = false;

  /** Resolves when all workers have ended after a stop: which was asked for, or came because the scheduler is gone. */
  readonly finished: Promise<NannyEnd>;

  constructor(options: NannyRuntimeOptions) {
    this.#options = options;
    this.#machine = options.machine;
    this.#oomKillCount = options.oomKillCount();
    this.finished = new Promise((resolve) => (this.#finish = resolve));
    this.#wake = new WakeTimer(options.clock, options.timers, () =>
      this.#dispatch({ type: 'tick', stimulusId: this.#stimulus('tick') }),
    );
  }

  /** Connects to the scheduler and starts all workers. */
  async start(): Promise<void> {
    await this.#connect();
    this.#dispatch({ type: 'start', stimulusId: this.#stimulus('start') });
  }

  /** Resolves once every slot has a registered worker. */
  async allReady(): Promise<void> {
    if (this.#isReady()) return;
    await new Promise<void>((resolve) => this.#readyWaiters.push(resolve));
  }

  /** `retireMs`: workers may take this long to have what only they have copied to others; else they close at once. */
  stop(reason: string, retireMs?: number): void {
    this.#dispatch({
      type: 'stop',
      stimulusId: this.#stimulus('stop'),
      reason,
      ...(retireMs === undefined ? {} : { retireMs }),
    });
  }

  /** A worker that retired has left values on disk for a nanny of this name. */
  get hasLeftValues(): boolean {
    return this.#hasLeftValues;
  }

  restartWorker(workerId: WorkerId, reason: string): void {
    this.#dispatch({ type: 'restart-worker', stimulusId: this.#stimulus('restart'), workerId, reason });
  }

  /** Ends a quarantine. False: no worker of this name is in one. */
  releaseWorker(workerName: string, reason: string): boolean {
    const isQuarantined = this.#machine.slots.some(
      (slot) => slot.workerName === workerName && slot.state.name === 'quarantined',
    );
    this.#dispatch({ type: 'release-worker', stimulusId: this.#stimulus('release'), workerName, reason });
    return isQuarantined;
  }

  /** For the hello of a session: what its scheduler has to know of us. */
  get quarantined(): readonly Quarantine[] {
    return this.#machine.quarantines(this.#options.clock.nowMs());
  }

  /** What each worker may use has changed: it is told, and held to it. */
  limitChanged(limitBytes: number | false): void {
    if (limitBytes !== false) this.#tellWorkers({ type: 'limit-changed', limitBytes });
    this.#dispatch({ type: 'limit-changed', stimulusId: this.#stimulus('limit'), limitBytes });
  }

  /** Tells every worker process; one that is starting hears of it once it listens. */
  #tellWorkers(message: NannyToWorker): void {
    for (const child of this.#children.values()) child.send(message);
  }

  /** What each slot is doing, for status pages. */
  get slots(): NannyMachine['slots'] {
    return this.#machine.slots;
  }

  async #connect(): Promise<void> {
    const link = await this.#options.openLink({
      onMessages: (messages) => {
        for (const message of messages) this.#onMessage(message);
      },
      onEnded: (error) => {
        this.#link = undefined;
        if (error?.code === 'SESSION_EXPIRED') this.#reconnect();
        else this.#stopAfterLoss(error);
      },
    });
    // All workers have ended meanwhile: nobody would end this session.
    if (this.#isFinished) link.close('The nanny has ended.');
    else this.#link = link;
  }

  #reconnect(): void {
    this.#connect().catch((err: unknown) => {
      this.#options.logger.error({ err }, 'could not open a new session with the scheduler');
      this.#stopAfterLoss(err);
    });
  }

  #stopAfterLoss(error: unknown): void {
    if (error !== undefined) this.#end = 'scheduler-lost';
    this.stop(error instanceof Error ? error.message : 'The scheduler ended the session.');
  }

  #onMessage(message: SchedulerToNanny): void {
    switch (message.type) {
      case 'restart-worker':
        this.#dispatch(message);
        break;
      case 'close-nanny':
        this.stop(message.reason);
        break;
      default:
        assertNever(message, 'message of the scheduler');
    }
  }

  #dispatch(event: NannyEvent): void {
    const instructions = this.#machine.handle(event, this.#options.clock.nowMs());
    for (const instruction of instructions) this.#perform(instruction);
    this.#wake.arm(this.#machine.nextWakeMs);
    if (this.#isReady()) for (const resolve of this.#readyWaiters.splice(0)) resolve();
  }

  #perform(instruction: NannyInstruction): void {
    switch (instruction.type) {
      case 'spawn-worker':
        this.#spawn(instruction);
        break;
      case 'ask-worker-to-close':
        this.#send(instruction.workerId, {
          type: 'close',
          reason: instruction.reason,
          leavesValues: instruction.leavesValues,
        });
        break;
      case 'ask-worker-to-retire': {
        const { workerId, reason, deadlineMs, leavesAll } = instruction;
        this.#send(workerId, { type: 'retire', reason, deadlineMs, leavesAll });
        break;
      }
      case 'kill-worker':
        this.#children.get(instruction.workerId)?.signal('SIGKILL');
        break;
      case 'sample-worker':
        void this.#sample(instruction.workerId, instruction.pid);
        break;
      case 'send-to-scheduler':
        this.#link?.send(instruction.message);
        break;
      case 'log-event':
        this.#options.logger[instruction.level](
          { event: instruction.event, ...instruction.fields },
          instruction.message,
        );
        break;
      case 'finished':
        this.#isFinished = true;
        this.#wake.cancel();
        this.#link?.close('The nanny has ended.');
        this.#finish(this.#end);
        break;
      default:
        assertNever(instruction, 'nanny instruction');
    }
  }

  #spawn({ slot, workerId, name }: Extract<NannyInstruction, { type: 'spawn-worker' }>): void {
    const { children, workerArgs, workerEnviron, workerExecArgv, timers } = this.#options;
    const child = children.spawn({
      args: workerArgs(workerId, name),
      execArgv: workerExecArgv(),
      environ: workerEnviron(),
      onMessage: (message) => this.#onWorkerMessage(slot, workerId, message),
      onExit: (exit) => {
        this.#children.delete(workerId);
        this.#options.onWorkerGone(workerId);
        this.#dispatch({
          type: 'worker-exited',
          stimulusId: this.#stimulus('exit'),
          slot,
          workerId,
          ...exit,
          didKernelRunOut: this.#didKernelRunOut(),
        });
      },
    });
    this.#children.set(workerId, child);
    const { pid } = child;
    if (pid === undefined) return;
    // The machine is in the middle of a handle: its next event comes in the next turn.
    timers.soon(() =>
      this.#dispatch({ type: 'worker-spawned', stimulusId: this.#stimulus('spawned'), slot, workerId, pid }),
    );
  }

  async #sample(workerId: WorkerId, pid: number): Promise<void> {
    const processBytes = await this.#options.processMemory.read(pid);
    this.#dispatch({
      type: 'worker-sampled',
      stimulusId: this.#stimulus('sample'),
      workerId,
      processBytes,
    });
  }

  #didKernelRunOut(): boolean {
    const before = this.#oomKillCount;
    this.#oomKillCount = this.#options.oomKillCount();
    return this.#oomKillCount > before;
  }

  #onWorkerMessage(slot: number, workerId: WorkerId, message: unknown): void {
    if (!isWorkerMessage(message)) {
      this.#options.logger.warn({ workerId }, 'a worker said something over IPC that no worker says');
      return;
    }
    switch (message.type) {
      case 'ready':
        this.#dispatch({ type: 'worker-ready', stimulusId: this.#stimulus('ready'), slot, workerId });
        break;
      case 'alive':
        this.#dispatch({ type: 'worker-alive', stimulusId: this.#stimulus('alive'), slot, workerId });
        break;
      case 'recycling': {
        const { reason } = message;
        const stimulusId = this.#stimulus('recycling');
        this.#dispatch({ type: 'worker-recycling', stimulusId, slot, workerId, reason });
        break;
      }
      case 'retired': {
        const { reason, leavesValues } = message;
        this.#hasLeftValues ||= leavesValues;
        const stimulusId = this.#stimulus('retired');
        this.#dispatch({ type: 'worker-retired', stimulusId, slot, workerId, reason, leavesValues });
        break;
      }
      default:
        assertNever(message, 'message of a worker');
    }
  }

  #send(workerId: WorkerId, message: NannyToWorker): void {
    this.#children.get(workerId)?.send(message);
  }

  #isReady(): boolean {
    return this.#machine.slots.every(({ state }) => state.name === 'running');
  }

  #stimulus(cause: string): StimulusId {
    return asStimulusId(`nanny-${cause}-${++this.#stimulusCount}`);
  }
}
