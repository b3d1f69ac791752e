/**
 * A whole cluster on this machine, owned by this process: a scheduler, nannies and their workers, as child processes.
 * What was started is ended by `close()`, by a start that fails midway, and by the end of this process.
 */
import { ClusterUnreachableError, WorkerStartTimeoutError } from '@spillway/kernel';
import type { Client } from '../client.js';
import { openClient, type ConnectOptions } from '../connect.js';
import { ChildProgram } from './child-program.js';
import { planCluster, type ClusterPlan, type LocalClusterOptions } from './cluster-options.js';
import { findProgram } from './find-program.js';

export class LocalCluster implements AsyncDisposable {
  /** `host:port` of the scheduler. */
  readonly address: string;
  readonly #programs: readonly ChildProgram[];
  readonly #plan: ClusterPlan;
  readonly #clients = new Set<Client>();
  #closing: Promise<void> | undefined;

  private constructor(address: string, programs: readonly ChildProgram[], plan: ClusterPlan) {
    this.address = address;
    this.#programs = programs;
    this.#plan = plan;
  }

  /**
   * Starts the programs and waits until all workers are registered. Rejects with `ProgramStartError` (what a program
   * wrote before it ended is in the message), `WorkerStartTimeoutError`, or the signal's reason; nothing is left running.
   */
  static async start(options: LocalClusterOptions = {}): Promise<LocalCluster> {
    options.signal?.throwIfAborted();
    // The programs of a cluster inherit this process's environment: handed down here, read nowhere else.
    const plan = planCluster(options, process.env);
    const starter = new ClusterStarter(options, plan);
    try {
      const address = await starter.start();
      return new LocalCluster(address, starter.programs, plan);
    } catch (error) {
      await closeAll(starter.programs, plan.closeTimeoutMs);
      throw error;
    }
  }

  /** Process ids: of the scheduler first, then of the nannies. */
  get pids(): readonly (number | undefined)[] {
    return this.#programs.map(({ pid }) => pid);
  }

  /**
   * A client of this cluster, with the settings that the cluster was given. `close()` of the cluster closes it too.
   */
  async connect(options: Omit<ConnectOptions, 'address'> = {}): Promise<Client> {
    if (this.#closing !== undefined)
      throw new ClusterUnreachableError('This cluster was closed. Start a new one.');
    const client = await openClient(
      { ...options, address: this.address },
      (closed) => this.#clients.delete(closed),
      this.#plan.environ,
    );
    this.#clients.add(client);
    return client;
  }

  /** Closes its clients, then its programs, in order; resolves once all are gone. Twice is harmless. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#clients].map((client) => client.close()));
    await closeAll(this.#programs, this.#plan.closeTimeoutMs);
  }
}

/** Order matters: nannies first, so that workers leave a scheduler that is there; the scheduler was started first. */
async function closeAll(programs: readonly ChildProgram[], closeTimeoutMs: number): Promise<void> {
  const [scheduler, ...nannies] = programs;
  await Promise.all(nannies.map((nanny) => nanny.close(closeTimeoutMs)));
  await scheduler?.close(closeTimeoutMs);
}

class ClusterStarter {
  /** Everything started so far, whether it came up or not. */
  readonly programs: ChildProgram[] = [];
  readonly #program: string;

  constructor(
    private readonly options: LocalClusterOptions,
    private readonly plan: ClusterPlan,
  ) {
    this.#program = findProgram(options.program);
  }

  /** Resolves with the scheduler's address once every nanny says that its workers are registered. */
  async start(): Promise<string> {
    const abort = new AbortController();
    const onAbort = (): void => abort.abort(this.options.signal?.reason);
    this.options.signal?.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(() => abort.abort(this.#tooLate()), this.plan.startTimeoutMs);
    try {
      const scheduler = this.#start('scheduler', this.plan.schedulerArgs);
      const { address } = await scheduler.ready(abort.signal);
      const nannies = this.plan.nannyArgs.map((argsOf) => this.#start('nanny', argsOf(address)));
      await Promise.all(nannies.map((nanny) => nanny.ready(abort.signal)));
      return address;
    } finally {
      clearTimeout(timer);
      this.options.signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Workers that cannot start are started again and again: why is in what their nanny wrote. */
  #tooLate(): WorkerStartTimeoutError {
    const { workerCount, startTimeoutMs } = this.plan;
    const words = this.programs.map(({ lastWords }) => lastWords).filter((text) => text !== '');
    return new WorkerStartTimeoutError(
      `The cluster was not ready within ${startTimeoutMs} ms: not all of its ${workerCount} workers have registered. ` +
        `Give a longer "startTimeout", or look at the log with "onLog" and logLevel "info".` +
        (words.length === 0 ? '' : ` The last of what the programs wrote:\n${words.join('\n')}`),
    );
  }

  #start(title: string, args: readonly string[]): ChildProgram {
    const program = new ChildProgram({
      title,
      program: this.#program,
      args,
      environ: this.plan.environ,
      onOutput: this.options.onLog ?? (() => undefined),
    });
    this.programs.push(program);
    return program;
  }
}
