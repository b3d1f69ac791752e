/**
 * What the scheduler believes about one worker. The worker's own truth is in the worker machine. `processing`, the sums
 * and `level` are kept by `TaskTable`, `hasWhat` and `heldBytes` by `Replicas`; nobody else writes them.
 */
import type { NannyId, RunId, WorkerId } from '@spillway/kernel';
import {
  NO_READINGS,
  type ExecutingTask,
  type Holder,
  type MemoryReadings,
  type WorkerHello,
  type WorkerInfo,
  type WorkerStatus,
} from '@spillway/messages';
import { headroomBytes } from './headroom.js';
import type { ResolvedOptions } from './options.js';
import type { ProcessingState, SchedulerTask } from './task.js';
import { TaskHeap } from './task-heap.js';

/**
 * Results that may be expected of all that a worker was handed, as a share of its limit, when more is handed over ahead of
 * need: tasks that take no time can make much, and go on when the worker pauses.
 */
const EXPECTED_BYTES_FRACTION = 1 / 16;

/** As many as a nanny keeps. */
const SAMPLES_KEPT = 20;

/** However short its tasks are, a busy worker is never as good as an idle one. */
const LEAST_WAIT_MS = 0.01;

export class WorkerView {
  readonly id: WorkerId;
  readonly name: string;
  readonly pid: number;
  /** Absent for a worker without one. */
  readonly nannyId: NannyId | undefined;
  readonly terminateFraction: number | false;
  nthreads: number;
  /** These two are changed by `WorkerRoster.setLimit` only. */
  memoryLimitBytes: number | false;
  isLimitEnforced: boolean;
  /** Of a registered worker, changed by `WorkerRoster.setStatus` only. */
  status: WorkerStatus = 'running';
  /** Shared by all messages that name this worker. */
  holder: Holder;

  /** Assigned to it and not reported back, by run, oldest first. Small, so that a report finds its task fast. */
  readonly processing = new Map<RunId, SchedulerTask>();
  readonly hasWhat = new Set<SchedulerTask>();
  /** Sum of the sizes of `hasWhat`. */
  heldBytes = 0;
  /** Copies it was told to fetch and has not reported, and their sizes: kept by `CopyOrders`. */
  incomingCount = 0;
  incomingBytes = 0;
  /** Queued tasks with inputs that belong to it: their inputs lie here, or they may not run elsewhere. */
  readonly ownQueue = new TaskHeap();
  /** Queued roots that may not run elsewhere. */
  readonly ownRoots = new TaskHeap();

  /** Of the last heartbeat. */
  readings: MemoryReadings = NO_READINGS;
  isUnderPressure = false;
  /** `heldBytes` when that heartbeat came. */
  heldBytesAtHeartbeat = 0;
  /** While paused it has given back a task that was to run all the same: it is offered none until its status changes. */
  refusesDraining = false;
  executing: ReadonlySet<RunId> = new Set();
  /** The same with what is known of each, for the verdict when it dies. */
  executingTasks: readonly ExecutingTask[] = [];
  /** What its last heartbeats said of its process memory, oldest first, for the same. */
  readonly samples: { readonly atMs: number; readonly processBytes: number }[] = [];
  registeredAtMs = 0;
  /** The newest run that was assigned anywhere when the last heartbeat came. */
  lastRunIdAtHeartbeat = 0;

  /** Place in `LoadIndex`, which keeps these two. */
  level = -1;
  levelIndex = -1;

  /** Sum of the expected durations of `processing`. */
  backlogMs = 0;
  #shortCount = 0;
  #shortMs = 0;
  /** Sum of the sizes expected of the results of `processing`. */
  #expectedBytes = 0;

  constructor(
    hello: WorkerHello,
    /** In order of registration. */
    readonly order: number,
    private readonly options: ResolvedOptions,
  ) {
    this.id = hello.workerId;
    this.name = hello.name;
    this.pid = hello.pid;
    this.nannyId = hello.nannyId;
    this.terminateFraction = hello.terminateFraction ?? false;
    this.nthreads = Math.max(1, hello.nthreads);
    this.memoryLimitBytes = hello.memoryLimitBytes;
    this.isLimitEnforced = hello.isLimitEnforced;
    this.holder = { workerId: hello.workerId, address: hello.address };
  }

  /** The same life of the same worker, in a new session. Its limit is for `WorkerRoster.setLimit`. */
  renew(hello: WorkerHello): void {
    this.nthreads = Math.max(1, hello.nthreads);
    this.holder = { workerId: hello.workerId, address: hello.address };
    this.executing = new Set();
    this.executingTasks = [];
  }

  keepSample(sample: WorkerView['samples'][number]): void {
    this.samples.push(sample);
    if (this.samples.length > SAMPLES_KEPT) this.samples.shift();
  }

  /** Whether it has a run of the task now. */
  isRunning(task: SchedulerTask): boolean {
    return task.state.name === 'processing' && task.state.worker === this;
  }

  /** Larger means more room for results (`headroom.ts`). */
  get headroomBytes(): number {
    return headroomBytes(this, this.options);
  }

  /** What the inputs of one task may come to together (`fitting.ts`). */
  get inputBytesMax(): number {
    return this.memoryLimitBytes === false || !this.isLimitEnforced ? Infinity : this.memoryLimitBytes;
  }

  get hasFreeSlot(): boolean {
    return this.status === 'running' && this.processing.size < this.nthreads;
  }

  /** How long a task given to it now would wait for a slot; endless unless it is running. */
  get slotWaitMs(): number {
    if (this.status !== 'running') return Infinity;
    if (this.processing.size < this.nthreads) return 0;
    return Math.max(LEAST_WAIT_MS, this.backlogMs / this.nthreads);
  }

  /**
   * Whether it takes one more task, expected to last so long: into a free slot, or as prefetch while what waits beyond
   * the slots stays within `prefetchMs` a thread. A slot with a long task does not flow, so nothing is put behind it:
   * what has been handed over does not come back, and other workers may be idle sooner. Under memory pressure nothing is
   * handed over ahead: what waits there holds inputs in memory.
   */
  hasRoom(expectedMs: number): boolean {
    if (this.hasFreeSlot) return true;
    if (this.status !== 'running' || this.isUnderPressure) return false;
    const { prefetchMs, prefetchCountMax } = this.options;
    const assignedCount = this.processing.size;
    if (expectedMs > prefetchMs || assignedCount - this.nthreads >= prefetchCountMax) return false;
    const flowingCount = this.nthreads - (assignedCount - this.#shortCount);
    if (flowingCount <= 0) return false;
    const beyondMs = (this.#shortMs * (this.#shortCount - flowingCount)) / this.#shortCount;
    return beyondMs + expectedMs <= prefetchMs * flowingCount;
  }

  /** Whether a result expected to take so much is no reason to hold the task back. A free slot takes any. */
  hasRoomForBytes(expectedBytes: number): boolean {
    if (this.memoryLimitBytes === false || this.hasFreeSlot) return true;
    return this.#expectedBytes + expectedBytes <= this.memoryLimitBytes * EXPECTED_BYTES_FRACTION;
  }

  /** Under pressure roots, which only add to it, wait until it has nothing else to do; then they go, so nothing stalls. */
  putsOff(task: SchedulerTask): boolean {
    return this.isUnderPressure && task.isRoot && this.processing.size > 0;
  }

  /** For `TaskTable`. */
  assign(task: SchedulerTask, run: ProcessingState): void {
    this.processing.set(run.runId, task);
    this.#expectedBytes += run.expectedBytes;
    this.#account(run.expectedMs, 1);
  }

  /** For `TaskTable`. */
  unassign(run: ProcessingState): void {
    this.processing.delete(run.runId);
    this.#expectedBytes -= run.expectedBytes;
    this.#account(run.expectedMs, -1);
    if (this.processing.size > 0) return;
    // Adding and subtracting fractions leaves crumbs; an idle worker starts its books anew.
    this.backlogMs = 0;
    this.#shortMs = 0;
    this.#expectedBytes = 0;
  }

  /** A run turns out to take longer than was expected. */
  reprice(run: ProcessingState, expectedMs: number): void {
    this.#account(run.expectedMs, -1);
    run.expectedMs = expectedMs;
    this.#account(expectedMs, 1);
  }

  info(): WorkerInfo {
    return {
      workerId: this.id,
      name: this.name,
      address: this.holder.address,
      status: this.status,
      nthreads: this.nthreads,
      memoryLimitBytes: this.memoryLimitBytes,
      ...this.readings,
      isUnderPressure: this.isUnderPressure,
      processingCount: this.processing.size,
      keyCount: this.hasWhat.size,
    };
  }

  #account(expectedMs: number, sign: 1 | -1): void {
    this.backlogMs += sign * expectedMs;
    if (expectedMs > this.options.prefetchMs) return;
    this.#shortCount += sign;
    this.#shortMs += sign * expectedMs;
  }
}
