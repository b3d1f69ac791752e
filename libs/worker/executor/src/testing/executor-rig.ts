/**
 * An executor with real threads for specs: modules given as text, executions awaited one by one, everything the
 * listener hears kept. `closeRigs` (for `afterEach`) ends all threads and removes all folders.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  asModuleHash,
  asRunId,
  asTaskKey,
  FunctionNotFoundError,
  type ModuleHash,
  must,
} from '@spillway/kernel';
import type { Encoding, FunctionRef, Payload, RunOutcome, RunRequest } from '@spillway/messages';
import type { Execution, ExecutionOutcome, StopReason, TaskLogLine, Timers } from '@spillway/ports';
import { bundleThreadEntry } from '@spillway/testkit';
import { decodeValue, encodeValue } from '@spillway/values';
import { ThreadExecutor, type ThreadExecutorOptions } from '../thread-executor.js';

const ENTRY = "import { runTaskThread } from '@spillway/worker-executor'; runTaskThread();";

const realTimers: Timers = {
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  every: (intervalMs, call) => {
    const timer = setInterval(call, intervalMs);
    return { cancel: () => clearInterval(timer) };
  },
  soon: (call) => void setImmediate(call),
};

export interface RunOptions {
  readonly slot?: number;
  readonly key?: string;
  readonly args?: readonly unknown[] | Payload;
  readonly inputs?: readonly Payload[];
  readonly inputKeys?: readonly string[];
  readonly resultEncoding?: Encoding;
  readonly attempt?: number;
}

/** A run that was handed over, and what becomes of it. */
export interface Handed {
  readonly execution: Execution;
  readonly outcome: Promise<ExecutionOutcome>;
  stop(reason?: StopReason): void;
}

const rigs = new Set<Rig>();

export async function closeRigs(): Promise<void> {
  await Promise.all([...rigs].map((rig) => rig.close()));
}

export class Rig {
  readonly lines: TaskLogLine[] = [];
  readonly stuck: { slot: number; key: string; forMs: number }[] = [];
  readonly outcomes: ExecutionOutcome[] = [];
  readonly deliveries: number[] = [];
  readonly fetched: ModuleHash[] = [];
  /** Bundles by hash, as the scheduler would have them. */
  readonly uploads = new Map<ModuleHash, Uint8Array>();
  readonly #waiting = new Map<number, (outcome: ExecutionOutcome) => void>();
  #nextRunId = 1;
  #executor: ThreadExecutor | undefined;

  private constructor(readonly folder: string) {}

  static async start(options: Partial<ThreadExecutorOptions> = {}): Promise<Rig> {
    const rig = new Rig(await mkdtemp(join(tmpdir(), 'spillway-executor-')));
    rigs.add(rig);
    rig.#executor = new ThreadExecutor({
      entry: options.entry ?? (await bundleThreadEntry(ENTRY, __dirname)),
      slotCount: 1,
      modules: { fetch: (hash) => rig.#fetch(hash) },
      moduleFolder: rig.moduleFolder,
      preinstalled: {},
      installFolder: rig.folder,
      heapMaxBytes: false,
      cancelGraceMs: 5000,
      abortGraceMs: 100,
      validate: false,
      decodedCacheBytesMax: false,
      workerName: 'worker-a',
      clock: { nowMs: () => performance.now() },
      timers: realTimers,
      listener: {
        onOutcomes: (outcomes) => rig.#take(outcomes),
        onLog: (line) => void rig.lines.push(line),
        onSlotStuck: (slot, key, forMs) => void rig.stuck.push({ slot, key, forMs }),
      },
      ...options,
    });
    return rig;
  }

  get moduleFolder(): string {
    return join(this.folder, 'modules');
  }

  get executor(): ThreadExecutor {
    return must(this.#executor, 'executor');
  }

  /** Uploads a module and names one of its exports. */
  upload(text: string, exportName = 'run'): FunctionRef {
    const bytes = new TextEncoder().encode(text);
    const moduleHash = asModuleHash(createHash('sha256').update(bytes).digest('hex'));
    this.uploads.set(moduleHash, bytes);
    return { kind: 'bundle', moduleHash, exportName };
  }

  /** Hands over one run. `what`: a function, or the body of an arrow function `(...args) => …` as text. */
  hand(what: FunctionRef | string, options: RunOptions = {}): Handed {
    const runId = asRunId(this.#nextRunId++);
    const ref = typeof what === 'string' ? this.upload(`exports.run = ${what};`) : what;
    const { args = [] } = options;
    const execution: Execution = {
      slot: options.slot ?? 0,
      key: asTaskKey(options.key ?? `task-${runId}`),
      runId,
      attempt: options.attempt ?? 1,
      function: ref,
      args: 'data' in args ? args : encodeValue(args),
      inputs: options.inputs ?? [],
      ...(options.inputKeys === undefined ? {} : { inputKeys: options.inputKeys.map(asTaskKey) }),
      resultEncoding: options.resultEncoding ?? 'v8',
    };
    const outcome = new Promise<ExecutionOutcome>((resolve) => this.#waiting.set(runId, resolve));
    this.executor.execute(execution);
    const stop = (reason: StopReason = 'cancelled'): void =>
      this.executor.stop(execution.slot, execution.key, runId, reason);
    return { execution, outcome, stop };
  }

  run(what: FunctionRef | string, options: RunOptions = {}): Promise<ExecutionOutcome> {
    return this.hand(what, options).outcome;
  }

  /** The decoded result of a run that has to succeed. */
  async value(what: FunctionRef | string, options: RunOptions = {}): Promise<unknown> {
    const outcome = await this.run(what, options);
    if (outcome.type === 'execute-success') return decodeValue(outcome.result);
    throw new Error(`expected a result, not ${JSON.stringify(outcome)}`);
  }

  aside(
    what: FunctionRef | string,
    args: readonly unknown[] = [],
    timeoutMs: RunRequest['timeoutMs'] = false,
  ): Promise<RunOutcome> {
    const ref = typeof what === 'string' ? this.upload(`exports.run = ${what};`) : what;
    return this.executor.runAside({ function: ref, args: encodeValue(args), timeoutMs });
  }

  async close(): Promise<void> {
    rigs.delete(this);
    await this.#executor?.close();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #fetch(hash: ModuleHash): Promise<Uint8Array> {
    this.fetched.push(hash);
    const bytes = this.uploads.get(hash);
    return bytes === undefined
      ? Promise.reject(new FunctionNotFoundError(`Nobody uploaded module ${hash}`))
      : Promise.resolve(bytes);
  }

  #take(outcomes: readonly ExecutionOutcome[]): void {
    this.deliveries.push(outcomes.length);
    for (const outcome of outcomes) {
      this.outcomes.push(outcome);
      this.#waiting.get(outcome.runId)?.(outcome);
    }
  }
}

/** A flag in shared memory that a task and its spec both see: how either waits for the other without sleeping. */
export class Gate {
  readonly #cell = new Int32Array(new SharedArrayBuffer(4));

  /** As an input of a task, which finds a `Buffer` over the same memory. */
  get payload(): Payload {
    return { encoding: 'bytes', data: new Uint8Array(this.#cell.buffer) };
  }

  get value(): number {
    return Atomics.load(this.#cell, 0);
  }

  /** Resolves when the task has stored something. */
  async reached(): Promise<void> {
    while (this.value === 0) await new Promise<void>((resolve) => void setImmediate(resolve));
  }

  /** Wakes tasks that wait for it. */
  open(): void {
    Atomics.store(this.#cell, 0, 2);
    Atomics.notify(this.#cell, 0);
  }
}

/** Arguments that are the task's inputs, in order. */
export const inputsAsArguments = (count: number): Payload => ({
  encoding: 'json',
  data: new TextEncoder().encode(
    JSON.stringify(Array.from({ length: count }, (_, index) => ({ $dependency: index }))),
  ),
});

/** Text for task code: `cell(buffer)` is the gate's cell. */
export const CELL = 'const cell = (b) => new Int32Array(b.buffer, b.byteOffset, 1);';
/** A task that opens its gate and then never returns. */
export const SPIN = `(gate) => { ${CELL} Atomics.store(cell(gate), 0, 1); while (true) {} }`;
/** A task that opens its gate and returns 'went on' when the spec opens it. */
export const HOLD = `(gate) => { ${CELL} Atomics.compareExchange(cell(gate), 0, 0, 1); Atomics.wait(cell(gate), 0, 1); return 'went on'; }`;
