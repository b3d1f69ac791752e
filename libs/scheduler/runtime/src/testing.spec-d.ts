/** The runtime with the real machine, a clock that the test moves, and links that remember what was sent. */
import { asClientId, asSubmissionId, asTaskKey, asWorkerId } from '@spillway/kernel';
import {
  PROTOCOL_VERSION,
  type ClientHello,
  type SchedulerToClient,
  type SchedulerToWorker,
  type TaskSpec,
  type WorkerHello,
  type WorkerToScheduler,
} from '@spillway/messages';
import type { Link, LinkListener, Logger, Timers } from '@spillway/ports';
import { SchedulerMachine, type SchedulerMachineOptions } from '@spillway/scheduler-machine';
import { SchedulerRuntime } from './scheduler-runtime.js';

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

/** Time passes when the test says so. */
class TestTime implements Timers {
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly call: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, call: () => void): { cancel(): void } {
    const timer = { atMs: this.#nowMs + delayMs, call };
    this.#timers.push(timer);
    return { cancel: () => (this.#timers = this.#timers.filter((other) => other !== timer)) };
  }

  every(): never {
    throw new Error('Not used here.');
  }

  soon(call: () => void): void {
    this.after(0, call);
  }

  pass(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#nowMs = next.atMs;
      next.call();
    }
    this.#nowMs = untilMs;
  }
}

/** The scheduler's end of a session. */
export class TestLink<Out> implements Link<Out> {
  readonly sent: Out[] = [];
  closedBecause: string | undefined;

  send(message: Out): void {
    if (this.closedBecause === undefined) this.sent.push(message);
  }

  close(reason: string): void {
    this.closedBecause ??= reason;
  }
}

export interface OpenWorker {
  readonly link: TestLink<SchedulerToWorker>;
  readonly listener: LinkListener<WorkerToScheduler>;
}

export class TestRuntime {
  readonly time = new TestTime();
  readonly machine: SchedulerMachine;
  readonly runtime: SchedulerRuntime;

  constructor(options: SchedulerMachineOptions = {}) {
    this.machine = new SchedulerMachine({ validate: true, ...options });
    this.runtime = new SchedulerRuntime({
      machine: this.machine,
      clock: this.time,
      timers: this.time,
      logger: silent,
      moduleCacheBytesMax: 1000,
    });
  }

  openWorker(id: string, name = id): OpenWorker {
    const link = new TestLink<SchedulerToWorker>();
    return { link, listener: this.runtime.openWorker(workerHello(id, name), link) };
  }

  openClient(id: string): ReturnType<SchedulerRuntime['openClient']> {
    const hello: ClientHello = {
      clientId: asClientId(id),
      protocol: PROTOCOL_VERSION,
      softwareVersion: 'test',
    };
    return this.runtime.openClient(hello, new TestLink<SchedulerToClient>());
  }

  /** One graph in one part, all of it wanted. */
  submit(clientId: string, ...keys: string[]): Promise<void> {
    const tasks = keys.map(aTask);
    return this.runtime.submitGraph(
      asClientId(clientId),
      asSubmissionId(`g-${keys.join('-')}`),
      partsOf([tasks]),
      tasks.map(({ key }) => key),
    );
  }

  /** Ends the run of the key, which has to be on this worker. */
  finish({ link, listener }: OpenWorker, wanted: string): void {
    for (const message of link.sent) {
      if (message.type !== 'compute-task' || message.spec.key !== asTaskKey(wanted)) continue;
      const { runId, stimulusId, spec } = message;
      const { key } = spec;
      listener.onMessages([{ type: 'task-finished', stimulusId, key, runId, nbytes: 1, durationMs: 1 }]);
      return;
    }
    throw new Error(`${wanted} does not run here.`);
  }
}

export async function* partsOf(parts: readonly (readonly TaskSpec[])[]): AsyncGenerator<readonly TaskSpec[]> {
  for (const part of parts) yield await Promise.resolve(part);
}

export const aTask = (key: string): TaskSpec => ({
  key: asTaskKey(key),
  function: { kind: 'preinstalled', module: 'm', exportName: 'f' },
  args: { encoding: 'json', data: Uint8Array.of(91, 93) },
  dependencies: [],
  priority: 0,
  retries: 0,
  workers: [],
  allowOtherWorkers: false,
  timeoutMs: false,
  recompute: true,
  resultEncoding: 'json',
});

const workerHello = (id: string, name: string): WorkerHello => ({
  workerId: asWorkerId(id),
  name,
  address: `${id}:1`,
  nthreads: 1,
  memoryLimitBytes: false,
  isLimitEnforced: true,
  pid: 1,
  protocol: PROTOCOL_VERSION,
  softwareVersion: 'test',
  holdings: [],
});
