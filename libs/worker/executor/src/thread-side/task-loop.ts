/**
 * The thread's queue: runs in order, one at a time, results out. Small results go into the shared memory at once and a
 * `ping` follows when the queue is empty, when a run goes asynchronous, or after a moment of work, whichever is first;
 * the rest is posted as it happens.
 */
import type { MessagePort } from 'node:worker_threads';
import type { StopReason } from '@spillway/ports';
import { copyToShared, isShared } from '../pack.js';
import type { ThreadRun } from '../run-pack.js';
import type { ResultRing, RunClaims } from '../shared-memory.js';
import type { FromThread } from '../thread-protocol.js';
import type { TaskScope } from './context.js';
import type { RunEnd, TaskRunner } from './task-runner.js';

/** Results are announced after so much work at the latest (hotpath.md). */
const PING_AFTER_MS = 1;
/** Between synchronous tasks the thread's own loop turns this often, for what tasks left behind and for aborts. */
const TURN_AFTER_MS = 10;

export interface TaskLoopOptions {
  readonly port: MessagePort;
  readonly claims: RunClaims;
  readonly ring: ResultRing;
  readonly runner: TaskRunner;
  /** Called when the queue is empty, before the last results are announced. */
  readonly onIdle: () => void;
  /** Called after each run. */
  readonly onRunEnd: (nowMs: number) => void;
}

export class TaskLoop {
  readonly #options: TaskLoopOptions;
  #queue: ThreadRun[] = [];
  #isRunning = false;
  #current: { readonly run: ThreadRun; readonly scope: TaskScope } | undefined;
  #unannouncedSinceMs: number | undefined;

  constructor(options: TaskLoopOptions) {
    this.#options = options;
  }

  get currentKey(): string | undefined {
    return this.#current?.run.key;
  }

  enqueue(runs: readonly ThreadRun[]): void {
    this.#queue.push(...runs);
    if (!this.#isRunning) void this.#drive();
  }

  abort(seq: number, reason: StopReason): void {
    if (this.#current?.run.seq === seq) this.#current.scope.abort(reason);
  }

  /** Cannot reject: a runner never throws. */
  async #drive(): Promise<void> {
    this.#isRunning = true;
    let turnedAtMs = performance.now();
    while (this.#queue.length > 0) {
      // From the end, so that taking one is cheap and lets go of its inputs: they are to be collected while others run.
      const runs = this.#queue.reverse();
      this.#queue = [];
      for (let run = runs.pop(); run !== undefined; run = runs.pop()) {
        const end = this.#start(run);
        if (end instanceof Promise) {
          this.#announce();
          this.#finish(run, await end);
          turnedAtMs = performance.now();
          this.#options.onRunEnd(turnedAtMs);
        } else if (end !== undefined) {
          this.#finish(run, end);
          const nowMs = performance.now();
          this.#options.onRunEnd(nowMs);
          if (nowMs - turnedAtMs > TURN_AFTER_MS) {
            this.#announce();
            await nextTurn();
            turnedAtMs = performance.now();
          }
        }
      }
    }
    this.#isRunning = false;
    this.#options.onIdle();
    this.#announce();
  }

  #start(run: ThreadRun): RunEnd | Promise<RunEnd> | undefined {
    if (!this.#options.claims.tryStart(run.seq)) return undefined;
    const scope = this.#options.runner.scopeFor(run);
    this.#current = { run, scope };
    return this.#options.runner.run(run, scope);
  }

  #finish(run: ThreadRun, end: RunEnd): void {
    this.#current = undefined;
    if (end.type === 'failure') {
      this.#post({ type: 'failure', seq: run.seq, error: end.error, mayRetry: end.mayRetry });
      return;
    }
    if (this.#options.ring.tryWrite(run.seq, end.durationMs, end.result)) {
      const nowMs = performance.now();
      this.#unannouncedSinceMs ??= nowMs;
      if (nowMs - this.#unannouncedSinceMs >= PING_AFTER_MS) this.#announce();
      return;
    }
    const { encoding, data } = end.result;
    const shared = isShared(data) ? data : copyToShared(data);
    this.#post({ type: 'success', seq: run.seq, durationMs: end.durationMs, encoding, data: shared });
  }

  #announce(): void {
    if (this.#unannouncedSinceMs === undefined) return;
    this.#unannouncedSinceMs = undefined;
    this.#post({ type: 'ping' });
  }

  #post(message: FromThread): void {
    this.#options.port.postMessage(message);
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
