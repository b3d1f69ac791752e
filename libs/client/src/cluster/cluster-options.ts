/** What a local cluster can be told, and what it comes to for each of its programs. */
import { availableParallelism } from 'node:os';
import { explainConfig, optionsSource, variableOf } from '@spillway/config';
import { InvalidArgumentError } from '@spillway/kernel';
import { toMs, type Duration } from '../call-options.js';

export interface LocalClusterOptions {
  /** How many workers, each a process. Default: one for each processor. */
  readonly workers?: number | undefined;
  /** How many nannies they are spread over. Default 1. */
  readonly nannies?: number | undefined;
  /** Tasks at a time in each worker. Default 1. */
  readonly nthreads?: number | undefined;
  /**
   * Of each worker: bytes, or text such as `'512 MiB'`. Default: `'auto'`, the worker's part of this machine's or
   * container's memory by its threads; all workers together never get more than there is.
   */
  readonly memoryLimit?: number | string | undefined;
  /** Default: any free port. */
  readonly schedulerPort?: number | undefined;
  /** Port of the scheduler's pages and metrics, 0 for any. Default `false`: none. */
  readonly httpPort?: number | false | undefined;
  /** `debug`, `info`, `warn` or `error`. Default `warn`. */
  readonly logLevel?: string | undefined;
  /** Receives the programs' log, as it comes. Default: it is dropped. */
  readonly onLog?: ((text: string) => void) | undefined;
  /** Environment variables of all programs, besides this process's own; `undefined` removes one. */
  readonly environ?: Readonly<Record<string, string | undefined>> | undefined;
  /** Any other settings, by path: `{ 'scheduler.allowed-failures': 1 }`. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
  /**
   * Catch tasks that write into their inputs: `worker.validate`. Default true, as here is where mistakes are to be found;
   * it reads all bytes of all inputs twice, so measure without it.
   */
  readonly validate?: boolean | undefined;
  /** How long until all workers have registered. Default 60 s; then `WorkerStartTimeoutError`. */
  readonly startTimeout?: Duration | undefined;
  /** How long each program may take to close before it is killed. Default 10 s. */
  readonly closeTimeout?: Duration | undefined;
  /** Script that starts the programs. Default: that of the installed `@spillway/cli`. */
  readonly program?: string | URL | undefined;
  /** Aborting it ends the start; what was started by then is ended. */
  readonly signal?: AbortSignal | undefined;
}

export interface ClusterPlan {
  readonly schedulerArgs: readonly string[];
  /** One for each nanny, given the scheduler's address. */
  readonly nannyArgs: readonly ((schedulerAddress: string) => readonly string[])[];
  readonly environ: NodeJS.ProcessEnv;
  readonly workerCount: number;
  readonly startTimeoutMs: number;
  readonly closeTimeoutMs: number;
}

/** Throws `InvalidArgumentError` and `InvalidConfigError`. */
export function planCluster(options: LocalClusterOptions, ownEnviron: NodeJS.ProcessEnv): ClusterPlan {
  const workerCount = whole('workers', options.workers ?? availableParallelism());
  const nannyCount = Math.min(whole('nannies', options.nannies ?? 1), workerCount);
  const common = flag('--log-level', options.logLevel ?? 'warn');
  const perNanny = [
    ...common,
    ...(options.nthreads === undefined ? [] : flag('--nthreads', whole('nthreads', options.nthreads))),
    ...(options.memoryLimit === undefined ? [] : flag('--memory-limit', options.memoryLimit)),
    ...(options.validate === undefined ? [] : flag('--validate', options.validate)),
  ];
  return {
    schedulerArgs: [
      'scheduler',
      ...flag('--port', options.schedulerPort ?? 0),
      // It ends with this process, and everything it knows is of no use to anybody then.
      ...flag('--journal', false),
      ...flag('--http-port', options.httpPort ?? false),
      ...common,
    ],
    nannyArgs: shares(workerCount, nannyCount).map((count) => (address: string) => [
      'nanny',
      address,
      ...flag('--workers', count),
      // Each nanny would divide the whole machine among its own workers.
      ...(nannyCount === 1 ? [] : flag('--memory-share', count / workerCount)),
      ...perNanny,
    ]),
    environ: environOf(options, ownEnviron),
    workerCount,
    startTimeoutMs: toMs(options.startTimeout ?? '60s', 'startTimeout'),
    closeTimeoutMs: toMs(options.closeTimeout ?? '10s', 'closeTimeout'),
  };
}

const flag = (name: string, value: string | number | boolean): string[] => [name, String(value)];

function shares(count: number, among: number): number[] {
  return Array.from({ length: among }, (_, index) => Math.floor((count + index) / among));
}

function environOf(options: LocalClusterOptions, ownEnviron: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const environ = {
    // Variables and settings may say otherwise.
    [variableOf('worker.validate')]: 'true',
    ...ownEnviron,
    ...settingsEnviron(options.settings ?? {}),
    ...options.environ,
  };
  // Parsing extra certificates costs every Node process 70 to 90 ms at its start, and a local cluster uses no TLS.
  if (options.environ?.['NODE_EXTRA_CA_CERTS'] === undefined) delete environ['NODE_EXTRA_CA_CERTS'];
  // Flags of this process (a loader, an inspector) are not meant for the programs.
  if (options.environ?.['NODE_OPTIONS'] === undefined) delete environ['NODE_OPTIONS'];
  return environ;
}

/** Settings travel as variables: every program reads those that concern it. */
function settingsEnviron(settings: Readonly<Record<string, unknown>>): Record<string, string> {
  const given = explainConfig([optionsSource(settings)]).filter(({ origin }) => origin !== 'default');
  return Object.fromEntries(given.map(({ path, text }) => [variableOf(path), text]));
}

function whole(option: string, count: number): number {
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError(
    `The option "${option}" has to be a whole number, 1 or more, not ${count}.`,
    {
      details: { option },
    },
  );
}
