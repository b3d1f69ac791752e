/**
 * Feeds what happens to a worker's memory to the memory machine and performs what it asks for: of the store, of the isolates,
 * of malloc, and of the worker's tasks and transfers. Takes no decision: those are in `@spillway/worker-memory`.
 */
import { assertNever, asStimulusId, WakeTimer, type StimulusId } from '@spillway/kernel';
import type { MemoryReadings, TrimReport } from '@spillway/messages';
import type {
  Cancellable,
  Clock,
  Malloc,
  OwnMemory,
  OwnMemoryReader,
  SpillingStore,
  TaskExecutor,
  Timers,
  TransferControl,
} from '@spillway/ports';
import type { WorkerEvent } from '@spillway/worker-machine';
import type {
  BusyWith,
  GrowthWatch,
  MemoryEvent,
  MemoryHappening,
  MemoryInstruction,
  MemoryMachine,
} from '@spillway/worker-memory';
import { EventQueue } from '../event-queue.js';
import { evictInParts } from './evict-in-parts.js';
import { GrowthMonitor } from './growth-monitor.js';
import { ManagedStore } from './managed-store.js';
import { MemoryLog, type MemoryLogOptions } from './memory-log.js';
import { writeOut } from './write-out.js';

export interface WorkerMemoryOptions extends Omit<MemoryLogOptions, 'running'> {
  readonly machine: MemoryMachine;
  readonly store: SpillingStore;
  readonly growthWatch: GrowthWatch;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly ownMemory: OwnMemoryReader;
  readonly malloc: Malloc;
  /** Has isolates collect that are neither the executor's nor the transfers': this one, that of the disk. */
  readonly collectors: readonly (() => Promise<void>)[];
  /** `worker.memory.monitor-interval`. */
  readonly monitorIntervalMs: number;
  /** Transfers served at a time, while memory does not say otherwise. */
  readonly servingMax: number;
}

/** Whom the machine's instructions concern. */
export interface MemoryActors {
  readonly executor: Pick<
    TaskExecutor,
    'collectGarbage' | 'heapUnusedBytes' | 'cachedBytes' | 'dropCachedCopies'
  >;
  readonly tellTasks: (event: WorkerEvent) => void;
  /** What each slot executes at this moment. */
  readonly busyWith: (nowMs: number) => readonly BusyWith[];
  readonly running: MemoryLogOptions['running'];
  /** A fresh process is wanted in place of this one. */
  readonly recycle: (reason: string) => void;
}

/** How long after a collection memory is still being swept (users-pains, section 24). */
const SETTLE_MS = 200;
/** A thread that does not answer within this time does so later, and is not waited for. */
const ANSWER_MS_MAX = 1000;

const NOTHING_YET: OwnMemory = { processBytes: 0, processPeakBytes: 0, heapUnusedBytes: 0 };

export class WorkerMemory {
  readonly store: ManagedStore;
  readonly #options: WorkerMemoryOptions;
  readonly #machine: MemoryMachine;
  readonly #events: EventQueue<MemoryEvent>;
  readonly #wake: WakeTimer;
  readonly #growth: GrowthMonitor;
  #actors: MemoryActors | undefined;
  #log: MemoryLog | undefined;
  #transfers: TransferControl | undefined;
  #monitor: Cancellable | undefined;
  #own = NOTHING_YET;
  /** As told last. */
  #cachedBytes = 0;
  #isDropping = false;
  #stimulusCount = 0;
  #isStopped = false;

  constructor(options: WorkerMemoryOptions) {
    this.#options = options;
    this.#machine = options.machine;
    this.#events = new EventQueue((event) => this.#take(event));
    this.#wake = new WakeTimer(options.clock, options.timers, () => this.tell({ type: 'tick' }));
    this.#growth = new GrowthMonitor(options, {
      busyWith: () => this.#busyWith(),
      collectGarbage: () => void this.collectGarbage(),
      endTask: (slot, processBytes, limitBytes) => this.#endTask(slot, processBytes, limitBytes),
    });
    this.store = new ManagedStore(options.store, (happening) => this.tell(happening));
  }

  /** Before anything is told. */
  connect(actors: MemoryActors): void {
    this.#actors = actors;
    this.#log = new MemoryLog({ ...this.#options, running: actors.running });
  }

  /** Begins to look at process memory. */
  start(transfers: TransferControl): void {
    this.#transfers = transfers;
    const { timers, monitorIntervalMs } = this.#options;
    this.sample();
    this.#monitor = timers.every(monitorIntervalMs, () => this.sample());
  }

  /** The most a run was charged of what process memory has grown by, in bytes; `undefined` before it was looked at. */
  peakBytesOf(runId: number): number | undefined {
    return this.#options.growthWatch.peakBytesOf(runId);
  }

  stop(): void {
    this.#isStopped = true;
    this.#monitor?.cancel();
    this.#growth.stop();
    this.#wake.cancel();
  }

  /** Requires: stopped, since the machine is not told of it. */
  writeOut(): Promise<void> {
    return writeOut(this.#options);
  }

  tell(happening: MemoryHappening): void {
    if (this.#isStopped) return;
    const stimulusId = this.#stimulus(happening.type);
    this.#events.push({ ...happening, stimulusId });
  }

  /** Of the last sample. Managed + unmanaged old + unmanaged recent is exactly process. */
  readings(): MemoryReadings {
    const { spillCounters } = this.#options.store;
    const state = this.#machine.readings();
    const { spillRefusedBecause } = state;
    return {
      processBytes: state.processBytes,
      managedBytes: state.managedBytes,
      unmanagedOldBytes: state.unmanagedOldBytes,
      unmanagedRecentBytes: state.unmanagedRecentBytes,
      hoardedBytes: state.hoardedBytes,
      spilledBytes: state.spilledBytes,
      processPeakBytes: this.#own.processPeakBytes,
      spillWrittenBytes: spillCounters.writeBytes,
      spillReadBytes: spillCounters.readBytes,
      ...(spillRefusedBecause === undefined ? {} : { spillRefusedBecause }),
    };
  }

  get isUnderPressure(): boolean {
    return this.#machine.readings().isUnderPressure;
  }

  /** Measures now, and lets the machine, and whoever watches for a task that runs away, see it. */
  sample(): void {
    const { ownMemory, malloc } = this.#options;
    const executor = this.#actors?.executor;
    this.#own = ownMemory.read();
    const { processBytes, heapUnusedBytes } = this.#own;
    const mallocFreeBytes = malloc.freeBytes();
    const busyWith = this.#busyWith();
    this.#tellOfCopies();
    this.tell({
      type: 'memory-sampled',
      processBytes,
      hoard: {
        v8UnusedBytes: heapUnusedBytes + (executor?.heapUnusedBytes ?? 0),
        ...(mallocFreeBytes === undefined ? {} : { mallocFreeBytes }),
      },
      executingCount: busyWith.filter((run) => run !== undefined).length,
    });
    this.#growth.onSample(processBytes, busyWith);
  }

  /** Has every isolate collect that may have seen a value. Resolves when all have, or have ended. */
  async collectGarbage(): Promise<void> {
    const { collectors } = this.#options;
    await Promise.all([
      ...collectors.map((collect) => collect()),
      this.#actors?.executor.collectGarbage(),
      this.#transfers?.collectGarbage(),
    ]);
  }

  /** Has everything given back that is held for nobody, whether it is time for that or not. */
  async trimNow(): Promise<TrimReport> {
    const { malloc } = this.#options;
    this.sample();
    const { processBytes: beforeBytes, hoardedBytes: hoardedBeforeBytes } = this.readings();
    await this.collectGarbage();
    const trimmed = await malloc.trim();
    await this.#pass(SETTLE_MS);
    this.sample();
    const { processBytes: afterBytes, managedBytes } = this.readings();
    return { allocator: malloc.kind, trimmed, beforeBytes, afterBytes, managedBytes, hoardedBeforeBytes };
  }

  #take(event: MemoryEvent): void {
    const instructions = this.#machine.handle(event, this.#options.clock.nowMs());
    for (const instruction of instructions) this.#perform(instruction);
    this.#wake.arm(this.#machine.nextWakeMs);
  }

  #stimulus(cause: string): StimulusId {
    return asStimulusId(`${cause}-${++this.#stimulusCount}`);
  }

  #busyWith(): readonly BusyWith[] {
    return this.#actors?.busyWith(this.#options.clock.nowMs()) ?? [];
  }

  #endTask(slot: number, processBytes: number, limitBytes: number): void {
    const stimulusId = this.#stimulus('runaway-growth');
    this.#actors?.tellTasks({ type: 'runaway-growth', stimulusId, slot, processBytes, limitBytes });
  }

  #perform(instruction: MemoryInstruction): void {
    const { stimulusId } = instruction;
    switch (instruction.type) {
      case 'evict':
        evictInParts(this.#options.store, instruction.evictId, instruction.keys, (happening) =>
          this.tell(happening),
        );
        break;
      case 'drop-cached-copies':
        void this.#dropCachedCopies();
        break;
      case 'collect-garbage':
        void this.#collectAndTell();
        break;
      case 'trim-memory':
        void this.#trim();
        break;
      case 'sample-memory':
        this.sample();
        break;
      case 'set-status':
        this.#actors?.tellTasks({ type: 'status-change', stimulusId, status: instruction.status });
        this.#transfers?.setAcceptingTasks(instruction.status === 'running');
        break;
      case 'set-serving-max':
        this.#transfers?.setServingMax(
          instruction.transfersMax === false ? this.#options.servingMax : instruction.transfersMax,
        );
        break;
      case 'set-room':
        this.#actors?.tellTasks({ type: 'set-room', stimulusId, roomBytes: instruction.roomBytes });
        break;
      case 'set-admission':
        this.#actors?.tellTasks({ type: 'set-admission', stimulusId, admission: instruction.admission });
        break;
      case 'hand-back-unstarted':
        this.#actors?.tellTasks({ type: 'hand-back-unstarted', stimulusId });
        break;
      case 'recycle-worker':
        this.#actors?.recycle(instruction.reason);
        break;
      case 'warn-unmanaged':
        this.#log?.unmanaged(instruction);
        break;
      case 'log-event':
        this.#log?.event(instruction);
        break;
      default:
        assertNever(instruction, 'memory instruction');
    }
  }

  /** While copies are being dropped the outcome of that is what counts. */
  #tellOfCopies(): void {
    const bytes = this.#actors?.executor.cachedBytes ?? 0;
    if (this.#isDropping || bytes === this.#cachedBytes) return;
    this.#cachedBytes = bytes;
    this.tell({ type: 'copies-cached', bytes });
  }

  async #dropCachedCopies(): Promise<void> {
    this.#isDropping = true;
    // A thread in the middle of a long task answers when that is over: what it still has is counted again until then.
    await Promise.race([this.#actors?.executor.dropCachedCopies(), this.#pass(ANSWER_MS_MAX)]);
    this.#isDropping = false;
    this.#cachedBytes = this.#actors?.executor.cachedBytes ?? 0;
    this.tell({ type: 'copies-cached', bytes: this.#cachedBytes });
  }

  #pass(forMs: number): Promise<void> {
    return new Promise((resolve) => void this.#options.timers.after(forMs, resolve));
  }

  async #collectAndTell(): Promise<void> {
    const { clock } = this.#options;
    const startedAtMs = clock.nowMs();
    await this.collectGarbage();
    this.tell({ type: 'collected', durationMs: clock.nowMs() - startedAtMs });
  }

  async #trim(): Promise<void> {
    const { clock, malloc } = this.#options;
    const startedAtMs = clock.nowMs();
    const isSupported = await malloc.trim();
    this.tell({ type: 'trimmed', durationMs: clock.nowMs() - startedAtMs, isSupported });
  }
}
