/**
 * The main side of one task thread, from its start to its end. Gives it runs, collects results, stops runs, and when
 * the thread is gone decides what became of each run in it. Every entry given to it settles exactly once, whatever
 * happens. It never starts a successor: that is the slot's part.
 */
import { type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads';
import type { ModuleHash, TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import type { Cancellable, Clock, ExecutionOutcome, StopReason, TaskLogLine, Timers } from '@spillway/ports';
import {
  endingOutcome,
  failureOutcome,
  type RunEntry,
  stoppedOutcome,
  type ThreadEnding,
} from './run-entry.js';
import { packRuns } from './run-pack.js';
import { RunsInThread } from './runs-in-thread.js';
import { makeThreadMemory, ResultRing } from './shared-memory.js';
import type { OutsideCollector } from './outside-collector.js';
import { ThreadGarbage } from './thread-garbage.js';
import type { FromThread, ToThread } from './thread-protocol.js';
import { ThreadReadings } from './thread-readings.js';
import { ThreadRequests } from './thread-requests.js';
import { endingOf, endingText, startError, startThread, type ThreadStart } from './thread-start.js';

export interface ThreadSettings extends ThreadStart {
  readonly abortGraceMs: number;
  readonly cancelGraceMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly outside: OutsideCollector;
}

export interface ThreadOwner {
  /** Called once for each entry. */
  onSettled(entry: RunEntry, outcome: ExecutionOutcome): void;
  onLog(key: string | undefined, level: TaskLogLine['level'], text: string): void;
  /** The thread takes no more runs: it was told to end, or has ended. Called once. */
  onRetired(thread: ThreadHandle): void;
  /** The thread is gone. Called once, after `onRetired`. */
  onExited(thread: ThreadHandle): void;
  /** It was told to end so long ago and has not: a native call. */
  onStuck(entry: RunEntry, forMs: number): void;
}

export class ThreadHandle {
  readonly #settings: ThreadSettings;
  readonly #owner: ThreadOwner;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #runs: RunsInThread;
  readonly #ring: ResultRing;
  readonly #readings: ThreadReadings;
  readonly #requests = new ThreadRequests();
  readonly #garbage: ThreadGarbage;
  readonly #timers = new Set<Cancellable>();
  readonly #exited: Promise<void>;
  /** Modules that are not on disk and that the thread has. */
  readonly #givenModules = new Set<ModuleHash>();
  #isReady = false;
  #isRetired = false;
  #hasExited = false;
  /** What the thread, or Node, said about its end before it came. */
  #ending: ThreadEnding | undefined;

  /** Throws when Node cannot make the thread. */
  constructor(settings: ThreadSettings, owner: ThreadOwner) {
    this.#settings = settings;
    this.#owner = owner;
    const memory = makeThreadMemory();
    this.#runs = new RunsInThread(memory, (entry, outcome) => owner.onSettled(entry, outcome));
    this.#ring = new ResultRing(memory);
    this.#readings = new ThreadReadings(memory);
    ({ worker: this.#worker, port: this.#port } = startThread(settings, memory));
    this.#port.on('message', (message: FromThread) => this.#receive(message));
    this.#exited = this.#watchEnd();
    this.#garbage = this.#makeGarbage();
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** The thread ended before it could take anything: starting another at once would end the same way. */
  get hasFailedToStart(): boolean {
    return this.#hasExited && !this.#isReady && this.#ending !== undefined;
  }

  /** Runs in the thread, as far as the main side knows. */
  get runCount(): number {
    return this.#runs.count;
  }

  get roomCount(): number {
    return this.#runs.roomCount;
  }

  /** Hands these over in one message. Requires: not retired, and room for them. */
  give(entries: readonly RunEntry[]): void {
    const message = packRuns(this.#runs.add(entries), this.#settings.setup.copyBytesMax !== false);
    // Made for this message: it changes hands, or it would be copied twice more.
    this.#send(message, [message.pack.bytes.buffer]);
  }

  /** The first of its runs that matches. */
  find(matches: (entry: RunEntry) => boolean): RunEntry | undefined {
    return this.#runs.find(matches);
  }

  /** Skips the run if it has not started; else aborts its signal and, after a moment, ends the thread. */
  stop(entry: RunEntry, reason: StopReason): void {
    const { seq } = entry;
    if (seq === undefined || !this.#runs.has(entry)) return;
    if (this.#runs.trySkip(entry, stoppedOutcome(entry, reason, false))) return;
    const isFirst = entry.stopReason === undefined;
    entry.stopReason ??= reason;
    // Memory does not wait for a task to be polite.
    if (reason === 'out-of-memory') this.#endFor(entry);
    else if (isFirst) {
      this.#send({ type: 'abort', seq, reason });
      this.#after(this.#settings.abortGraceMs, () => this.#endFor(entry));
    }
  }

  /** Gives the thread a module that is not on disk, once. */
  takeModule(hash: ModuleHash, bytes: Uint8Array): void {
    if (this.#givenModules.has(hash)) return;
    this.#givenModules.add(hash);
    this.#send({ type: 'take-module', hash, bytes });
  }

  unloadModules(hashes: readonly ModuleHash[]): void {
    for (const hash of hashes) this.#givenModules.delete(hash);
    this.#send({ type: 'unload-modules', hashes });
  }

  /** Of a thread that has not ended. */
  get heapUnusedBytes(): number {
    return this.#hasExited ? 0 : this.#readings.heapUnusedBytes;
  }

  get cachedBytes(): number {
    return this.#hasExited ? 0 : this.#readings.cachedBytes;
  }

  /** Resolves when the thread has collected, or has ended. */
  collectGarbage(): Promise<void> {
    return this.#garbage.collect();
  }

  /** Resolves when the thread has dropped its decoded copies, or has ended. */
  dropCopies(): Promise<void> {
    const { id: request, done } = this.#requests.open();
    this.#send({ type: 'drop-copies', request });
    return done;
  }

  forgetCopies(keys: readonly TaskKey[]): void {
    this.#send({ type: 'forget-copies', keys });
  }

  /** Takes in everything the thread has written and posted so far. */
  collect(): void {
    this.#readRing();
    for (;;) {
      const received = receiveMessageOnPort(this.#port) as { message: FromThread } | undefined;
      if (received === undefined) return;
      this.#receive(received.message);
    }
  }

  /** Ends the thread. Resolves when it is gone, or after `cancelGraceMs` when a native call holds it. */
  async close(): Promise<void> {
    this.#skipQueued();
    this.#retire();
    let timer: Cancellable | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#settings.timers.after(this.#settings.cancelGraceMs, resolve);
    });
    await Promise.race([this.#exited, late]);
    timer?.cancel();
    if (!this.#hasExited) this.#letGo();
  }

  /** Order matters: first nothing more can start, then results are taken in, and only then the thread is ended. */
  #endFor(entry: RunEntry): void {
    if (!this.#runs.has(entry) || this.#isRetired) return;
    this.#skipQueued();
    this.collect();
    // It ended by itself in time: the thread is idle and stays.
    if (!this.#runs.has(entry)) return;
    const askedAtMs = this.#settings.clock.nowMs();
    this.#after(this.#settings.cancelGraceMs, () => {
      if (!this.#runs.has(entry)) return;
      this.#owner.onStuck(entry, this.#settings.clock.nowMs() - askedAtMs);
      this.#settleLeftOver(entry);
    });
    this.#retire();
  }

  #skipQueued(): void {
    for (const entry of this.#runs.all()) this.#runs.trySkip(entry, this.#unstartedOutcome(entry));
  }

  #retire(): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    void this.#worker.terminate();
    this.#owner.onRetired(this);
  }

  /** Of a thread that does not end: everything settles, and the process can end without it. */
  #letGo(): void {
    for (const entry of this.#runs.all()) this.#settleLeftOver(entry);
    this.#cancelTimers();
    this.#requests.end();
    this.#port.close();
    this.#worker.unref();
  }

  #receive(message: FromThread): void {
    switch (message.type) {
      case 'ready':
        this.#isReady = true;
        return;
      case 'ping':
        this.#readRing();
        return;
      case 'done':
        this.#requests.settle(message.request);
        return;
      case 'log':
        this.#owner.onLog(message.key, message.level, message.text);
        return;
      case 'crash':
        this.#ending = { type: 'crashed', error: message.error, raisedBy: message.raisedBy };
        return;
      case 'success':
        this.#succeed(message.seq, message, message.durationMs);
        return;
      case 'failure':
        this.#fail(message);
    }
  }

  #readRing(): void {
    for (let read = this.#ring.read(); read !== undefined; read = this.#ring.read()) {
      this.#succeed(read.seq, read.result, read.durationMs);
    }
  }

  #succeed(seq: number, { encoding, data }: Payload, durationMs: number): void {
    const entry = this.#runs.get(seq);
    if (entry === undefined) return;
    const { slot, key, runId } = entry.execution;
    const result = { encoding, data };
    this.#runs.settle(entry, { type: 'execute-success', slot, key, runId, result, durationMs });
  }

  /** What a task throws once it was told to stop is its way of stopping. */
  #fail({ seq, error, mayRetry }: Extract<FromThread, { type: 'failure' }>): void {
    const entry = this.#runs.get(seq);
    if (entry === undefined) return;
    this.#runs.settle(
      entry,
      entry.stopReason === undefined
        ? failureOutcome(entry, error, mayRetry)
        : stoppedOutcome(entry, entry.stopReason, true),
    );
  }

  /** For an entry whose thread will not tell. */
  #settleLeftOver(entry: RunEntry): void {
    if (this.#runs.trySkip(entry, this.#unstartedOutcome(entry))) return;
    this.#runs.settle(entry, this.#startedOutcome(entry));
  }

  #startedOutcome(entry: RunEntry): ExecutionOutcome {
    if (entry.stopReason !== undefined) return stoppedOutcome(entry, entry.stopReason, true);
    if (this.#ending === undefined) return stoppedOutcome(entry, 'thread-ended', true);
    return endingOutcome(entry, this.#ending);
  }

  #unstartedOutcome(entry: RunEntry): ExecutionOutcome {
    return this.hasFailedToStart && this.#ending !== undefined
      ? failureOutcome(entry, startError(endingText(this.#ending)), true)
      : stoppedOutcome(entry, 'thread-ended', false);
  }

  #watchEnd(): Promise<void> {
    this.#worker.on('error', (error: unknown) => {
      this.#ending ??= endingOf(error, this.#settings.heapMaxBytes);
    });
    return new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        this.#onExit(code);
        resolve();
      });
    });
  }

  #onExit(code: number): void {
    this.collect();
    this.#hasExited = true;
    if (!this.#isRetired) {
      this.#ending ??= { type: 'exited', code };
      this.#owner.onLog(undefined, 'warn', `An executor thread ended: ${endingText(this.#ending)}`);
    }
    for (const entry of this.#runs.all()) this.#settleLeftOver(entry);
    this.#cancelTimers();
    this.#requests.end();
    this.#port.close();
    if (!this.#isRetired) {
      this.#isRetired = true;
      this.#owner.onRetired(this);
    }
    this.#owner.onExited(this);
  }

  #cancelTimers(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #makeGarbage(): ThreadGarbage {
    const { outside, clock } = this.#settings;
    return new ThreadGarbage({
      requests: this.#requests,
      readings: this.#readings,
      outside,
      threadId: () => this.#worker.threadId,
      send: (request) => this.#send({ type: 'collect-garbage', request }),
      clock,
      after: (delayMs, call) => this.#after(delayMs, call),
    });
  }

  #after(delayMs: number, call: () => void): void {
    const timer = this.#settings.timers.after(delayMs, () => {
      this.#timers.delete(timer);
      call();
    });
    this.#timers.add(timer);
  }

  #send(message: ToThread, transfers: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfers);
  }
}
