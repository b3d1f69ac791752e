/**
 * Runs user code in threads (the `TaskExecutor` port): one slot each with its queue and thread, threads aside for
 * `client.run`, module bundles on disk for all. Takes no decision about tasks: what runs where, and what is stopped,
 * comes from the worker machine.
 */
import type { ModuleHash, RunId, TaskKey } from '@spillway/kernel';
import { asTaskKey, must } from '@spillway/kernel';
import type { RunOutcome, RunRequest } from '@spillway/messages';
import type {
  Cancellable,
  Clock,
  Execution,
  ExecutionOutcome,
  ModuleSource,
  StopReason,
  TaskExecutor,
  TaskExecutorListener,
  TaskLogLine,
  Timers,
} from '@spillway/ports';
import { AsideThreads } from './aside-threads.js';
import { ModuleDepot } from './module-depot.js';
import { OutsideCollector } from './outside-collector.js';
import { Slot, type SlotParts } from './slot.js';
import type { ThreadSettings } from './thread-handle.js';

export interface ThreadExecutorOptions {
  /** File of the thread's program; its body calls `runTaskThread()`. */
  readonly entry: URL;
  readonly slotCount: number;
  readonly modules: ModuleSource;
  /** Bundles are written here. Made when missing, mode 0700. */
  readonly moduleFolder: string;
  /** Module name → file path, or package name as seen from `installFolder`. */
  readonly preinstalled: Readonly<Record<string, string>>;
  /** Where packages that bundles leave external resolve from. */
  readonly installFolder: string;
  /** Cap of each thread's JavaScript heap; `false` leaves Node's default. */
  readonly heapMaxBytes: number | false;
  /** Cap of each thread's new objects, on top of that; `false` leaves V8's own, 48 MiB. Default `false`. */
  readonly youngMaxBytes?: number | false;
  /** A thread that has not ended so long after it was told to is reported stuck. */
  readonly cancelGraceMs: number;
  /** Between aborting a task's signal and ending its thread. */
  readonly abortGraceMs: number;
  /** Check that tasks do not write into their inputs. */
  readonly validate: boolean;
  /**
   * Most bytes of decoded copies of inputs and results, of all threads together, each having the same share; `false` decodes
   * inputs for each task. With `validate` on none are kept, so that each task that writes into an input is caught.
   */
  readonly decodedCacheBytesMax: number | false;
  /** What `currentTask().workerName` says. */
  readonly workerName?: string;
  readonly listener: TaskExecutorListener;
  readonly timers: Timers;
  readonly clock: Clock;
}

/**
 * A thread announces its results when its queue is empty or a millisecond of work has passed, but not in the middle
 * of a run: if a short task is followed by a long one, its result is looked for after so long at the latest.
 */
const COLLECT_AFTER_MS = 5;

export class ThreadExecutor implements TaskExecutor {
  readonly slotCount: number;
  readonly #options: ThreadExecutorOptions;
  readonly #modules: ModuleDepot;
  readonly #slots: readonly Slot[];
  readonly #asides: AsideThreads;
  #outcomes: ExecutionOutcome[] = [];
  #isFlushPlanned = false;
  #collecting: Cancellable | undefined;
  /** Keys to be forgotten with the next flush, before anything is handed over. */
  #forgotten: TaskKey[] = [];
  readonly #outside: OutsideCollector;
  #isClosed = false;

  constructor(options: ThreadExecutorOptions) {
    this.#options = options;
    this.slotCount = options.slotCount;
    this.#outside = new OutsideCollector(options.timers, options.clock);
    this.#modules = new ModuleDepot({
      source: options.modules,
      folder: options.moduleFolder,
      timers: options.timers,
      listener: {
        onChange: () => this.#planFlush(),
        onDiskRefused: (hash, reason) =>
          this.#warn(`Module ${hash} is kept in memory, as the disk did not take it: ${reason}`),
      },
    });
    this.#slots = Array.from({ length: options.slotCount }, (_, slot) =>
      this.#makeSlot(
        {
          report: (outcome) => this.#report(outcome),
          onStuck: (key, forMs) => options.listener.onSlotStuck(slot, key, forMs),
        },
        copyBytesMaxOf(options),
      ),
    );
    this.#asides = new AsideThreads({
      makeSlot: (parts) => this.#makeSlot(parts, false),
      timers: options.timers,
      warn: (text) => this.#warn(text),
    });
  }

  execute(execution: Execution): void {
    this.#slotAt(execution.slot).execute(execution);
    this.#planFlush();
  }

  stop(slot: number, key: TaskKey, runId: RunId, reason: StopReason): void {
    this.#slotAt(slot).stop(key, runId, reason);
  }

  runAside(request: RunRequest): Promise<RunOutcome> {
    return this.#asides.run(request);
  }

  unloadModules(hashes: readonly ModuleHash[]): void {
    for (const slot of this.#slots) slot.unloadModules(hashes);
    this.#asides.unloadModules(hashes);
    this.#modules.unload(hashes);
  }

  /**
   * What was dropped from the store returns to the process once all threads have collected. One that is busy is collected
   * from outside after a moment.
   */
  async collectGarbage(): Promise<void> {
    await Promise.all([this.#asides.collectGarbage(), ...this.#slots.map((slot) => slot.collectGarbage())]);
  }

  get heapUnusedBytes(): number {
    return this.#slots.reduce((bytes, slot) => bytes + slot.heapUnusedBytes, this.#asides.heapUnusedBytes);
  }

  get cachedBytes(): number {
    return this.#slots.reduce((bytes, slot) => bytes + slot.cachedBytes, 0);
  }

  /** A thread in the middle of a task drops its copies when the task lets its loop turn. */
  async dropCachedCopies(): Promise<void> {
    if (this.#keepsCopies) await Promise.all(this.#slots.map((slot) => slot.dropCopies()));
  }

  forgetCopies(keys: readonly TaskKey[]): void {
    if (!this.#keepsCopies || keys.length === 0) return;
    this.#forgotten.push(...keys);
    this.#planFlush();
  }

  /** After `close`: a native call holds a thread, and `process.exit` would wait for its end. */
  get hasThread(): boolean {
    return this.#asides.hasThread || this.#slots.some((slot) => slot.hasThread);
  }

  /** Ends all threads; what was unfinished is reported as `thread-ended` before this resolves. */
  async close(): Promise<void> {
    await Promise.all([this.#asides.close(), ...this.#slots.map((slot) => slot.close())]);
    this.#isClosed = true;
    this.#modules.close();
    this.#collecting?.cancel();
    this.#deliver();
  }

  get #keepsCopies(): boolean {
    return copyBytesMaxOf(this.#options) !== false;
  }

  #makeSlot(parts: Pick<SlotParts, 'report' | 'onStuck'>, copyBytesMax: number | false): Slot {
    const { listener } = this.#options;
    return new Slot({
      ...parts,
      thread: this.#threadSettings(copyBytesMax),
      modules: this.#modules,
      onLog: (key: string | undefined, level: TaskLogLine['level'], text: string) =>
        listener.onLog({ key: key === undefined ? undefined : asTaskKey(key), level, text }),
    });
  }

  #warn(text: string): void {
    this.#options.listener.onLog({ key: undefined, level: 'warn', text });
  }

  #slotAt(index: number): Slot {
    return must(this.#slots[index], `slot ${index} of ${this.slotCount}`);
  }

  #report(outcome: ExecutionOutcome): void {
    this.#outcomes.push(outcome);
    this.#planFlush();
  }

  /** One hand-over and one delivery of outcomes a turn, however many there are. */
  #planFlush(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    this.#options.timers.soon(() => {
      this.#isFlushPlanned = false;
      this.#deliver();
      this.#flushForgotten();
      for (const slot of this.#slots) slot.flush();
      this.#asides.flush();
      this.#planCollect();
    });
  }

  #deliver(): void {
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    if (outcomes.length > 0) this.#options.listener.onOutcomes(outcomes);
  }

  /** Only a thread with more than one run can hold back the result of another. */
  #planCollect(): void {
    if (this.#isClosed || this.#collecting !== undefined) return;
    if (this.#slots.every(({ runCount }) => runCount < 2)) return;
    this.#collecting = this.#options.timers.after(COLLECT_AFTER_MS, () => {
      this.#collecting = undefined;
      for (const slot of this.#slots) slot.collect();
      this.#planCollect();
    });
  }

  #flushForgotten(): void {
    const keys = this.#forgotten;
    this.#forgotten = [];
    if (keys.length > 0) for (const slot of this.#slots) slot.forgetCopies(keys);
  }

  #threadSettings(copyBytesMax: number | false): ThreadSettings {
    const options = this.#options;
    return {
      entry: options.entry,
      heapMaxBytes: options.heapMaxBytes,
      youngMaxBytes: options.youngMaxBytes ?? false,
      abortGraceMs: options.abortGraceMs,
      cancelGraceMs: options.cancelGraceMs,
      clock: options.clock,
      timers: options.timers,
      outside: this.#outside,
      setup: {
        moduleFolder: options.moduleFolder,
        installFolder: options.installFolder,
        preinstalled: options.preinstalled,
        workerName: options.workerName ?? '',
        validate: options.validate,
        copyBytesMax,
      },
    };
  }
}

/** Share of each thread. */
const copyBytesMaxOf = ({
  decodedCacheBytesMax,
  slotCount,
  validate,
}: ThreadExecutorOptions): number | false =>
  decodedCacheBytesMax === false || validate ? false : decodedCacheBytesMax / slotCount;
