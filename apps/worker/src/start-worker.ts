import { randomBytes } from 'node:crypto';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { flagsSource, loadConfig, readConfigSources, type SpillwayConfig } from '@spillway/config';
import { asWorkerId, SOFTWARE_VERSION, type NannyId, type WorkerId } from '@spillway/kernel';
import { PROTOCOL_VERSION, type WorkerHello } from '@spillway/messages';
import {
  channelSecurityOf,
  checkExposure,
  configDoors,
  contactAddressOf,
  programFiles,
  resolveMemoryLimit,
  serverSecurityOf,
  systemClock,
  systemTimers,
  type ProgramFiles,
} from '@spillway/platform';
import { openWorkerLink, SchedulerQueries } from '@spillway/protocol';
import { createLogger } from '@spillway/telemetry';
import { ThreadExecutor } from '@spillway/worker-executor';
import { WorkerMachine } from '@spillway/worker-machine';
import { GrowthWatch } from '@spillway/worker-memory';
import { monitorGrowth, WorkerRuntime } from '@spillway/worker-runtime';
import { RamStore } from '@spillway/worker-store';
import { TransferThread } from '@spillway/worker-transfer';
import { measureProcess } from './measure-process.js';

/** The flags of `spillway worker`, by name; each may be left out. */
export interface WorkerOptions {
  readonly name?: string;
  readonly nthreads?: number;
  readonly memoryLimit?: string | number | false;
  readonly host?: string;
  readonly port?: number;
  readonly contactAddress?: string;
  readonly localDirectory?: string;
  readonly installFolder?: string;
  readonly preinstall?: Readonly<Record<string, string>>;
  readonly validate?: boolean;
  readonly insecure?: boolean;
  readonly logLevel?: string;
}

/** Who started the worker, where that is a nanny. */
export interface WorkerOrigin {
  readonly workerId?: WorkerId;
  readonly nannyId?: NannyId;
  readonly programs?: ProgramFiles;
}

export interface WorkerEnd {
  /** `recycle`: the worker wants a fresh one in its place. */
  readonly how: 'recycle' | 'closed';
  readonly reason: string;
}

export interface RunningWorker {
  readonly workerId: WorkerId;
  readonly name: string;
  /** `host:port` of the data service. */
  readonly address: string;
  /** Resolves when the worker cannot or must not go on; `close` is then still to be called. */
  readonly ended: Promise<WorkerEnd>;
  close(reason: string): Promise<void>;
}

const STORY_ENTRIES_MAX = 10_000;
const GATHER_PEERS_MAX_DEFAULTS = { busyRestMs: 150, whoHasRetryMs: 1000, pauseReturnMs: 1000 };
const HAND_OVER = { handOverMs: 5, handOverCountMax: 64 };
/** Between pause (0.80) and terminate (0.95): a task that drives the process there is ended before the process is. */
const RUNAWAY_FRACTION = 0.9;
const GUILTY_FRACTION = 0.25;

/** Starts a worker in this process. Settings come from files and the environment, then from `options`. */
export async function startWorker(
  schedulerAddress: string,
  options: WorkerOptions = {},
  origin: WorkerOrigin = {},
): Promise<RunningWorker> {
  const config = loadConfig([
    ...(await readConfigSources(configDoors())),
    flagsSource('worker', { ...options }),
  ]);
  const { worker } = config;
  const workerId = origin.workerId ?? asWorkerId(randomBytes(6).toString('hex'));
  const name = worker.name === false ? `${hostname()}-${workerId.slice(0, 4)}` : worker.name;
  const logger = createLogger({ service: 'worker', instance: name, level: config.log.level });
  if (origin.nannyId === undefined)
    logger.warn(
      { event: 'worker.no-nanny' },
      'this worker runs without a nanny: nobody ends it when its memory runs away, and nobody restarts it',
    );
  const security = channelSecurityOf(config.tls);
  const listenSecurity = serverSecurityOf(config.tls);
  checkExposure({
    what: 'worker',
    host: worker.host,
    hasTls: listenSecurity !== undefined,
    insecure: config.security.insecure,
  });
  const queries = new SchedulerQueries({
    address: schedulerAddress,
    timeoutMs: config.client.callTimeout,
    ...(security === undefined ? {} : { security }),
  });
  const programs = origin.programs ?? programFiles();
  const limitBytes = resolveMemoryLimit(worker.memory.limit, { nthreads: worker.nthreads, workerCount: 1 });
  const machine = workerMachine(config, workerId, limitBytes);
  const store = new RamStore();
  const measure = measureProcess(() => store.managedBytes);
  let end!: (how: WorkerEnd) => void;
  const ended = new Promise<WorkerEnd>((resolve) => (end = resolve));
  let address = '';
  const runtime: WorkerRuntime = new WorkerRuntime({
    machine,
    clock: systemClock,
    timers: systemTimers,
    logger,
    store,
    makeExecutor: (listener) =>
      new ThreadExecutor({
        entry: programs.taskThread,
        slotCount: worker.nthreads,
        modules: { fetch: (hash) => queries.fetchModule(hash) },
        moduleFolder: join(scratchFolder(config), `spillway-${process.pid}`, 'modules'),
        preinstalled: worker.preinstalled,
        installFolder: worker.installFolder === false ? process.cwd() : worker.installFolder,
        heapMaxBytes: limitBytes,
        cancelGraceMs: worker.cancelGrace,
        abortGraceMs: worker.abortGrace,
        validate: worker.validate,
        workerName: name,
        listener,
        timers: systemTimers,
        clock: systemClock,
      }),
    openLink: (hello, listener) =>
      openWorkerLink({
        address: schedulerAddress,
        hello,
        listener,
        clock: systemClock,
        timers: systemTimers,
        connectTimeoutMs: worker.deathTimeout === false ? config.client.connectTimeout : worker.deathTimeout,
        resumeGraceMs: config.scheduler.workerReconnectGrace,
        ...(security === undefined ? {} : { security }),
      }),
    identity: (): Omit<WorkerHello, 'holdings'> => ({
      workerId,
      name,
      ...(origin.nannyId === undefined ? {} : { nannyId: origin.nannyId }),
      address,
      nthreads: worker.nthreads,
      memoryLimitBytes: limitBytes,
      pid: process.pid,
      protocol: PROTOCOL_VERSION,
      softwareVersion: SOFTWARE_VERSION,
    }),
    heartbeatIntervalMs: config.scheduler.heartbeatInterval,
    measure: measure.read,
    onEnd: (how, reason) => end({ how, reason }),
  });
  const transfers = await TransferThread.start({
    entry: programs.transferThread,
    listenAddress: `${worker.host}:${worker.port}`,
    source: runtime,
    servingMax: worker.connections.incoming,
    logger,
  });
  address = contactAddressOf(transfers.address, worker.contactAddress);
  const monitor = monitorGrowth({
    runtime,
    watch: new GrowthWatch({
      limitBytes,
      runawayFraction: RUNAWAY_FRACTION,
      guiltyFraction: GUILTY_FRACTION,
    }),
    timers: systemTimers,
    intervalMs: worker.memory.monitorInterval,
    limitBytes,
    processBytes: () => process.memoryUsage.rss(),
    busyWith: () => machine.slotHeads(),
  });
  const close = async (reason: string): Promise<void> => {
    logger.info({ event: 'worker.closing', reason }, 'worker closing');
    monitor.cancel();
    measure.stop();
    await runtime.close(reason);
    await transfers.close();
    queries.close();
    logger.info({ event: 'worker.closed' }, 'worker closed');
  };
  try {
    await runtime.start(transfers);
  } catch (error) {
    await close('The worker could not register.');
    throw error;
  }
  logger.info(
    { event: 'worker.ready', address, scheduler: schedulerAddress, limitBytes },
    'worker registered',
  );
  return { workerId, name, address, ended, close };
}

function workerMachine(
  { worker }: SpillwayConfig,
  workerId: WorkerId,
  limitBytes: number | false,
): WorkerMachine {
  const { transfer } = worker.memory;
  return new WorkerMachine({
    workerId,
    slotCount: worker.nthreads,
    transferBytesMax: limitBytes === false || transfer === false ? false : limitBytes * transfer,
    gatherMessageBytesMax: worker.transfer.messageBytesLimit,
    gatherPeersMax: worker.connections.outgoing,
    ...GATHER_PEERS_MAX_DEFAULTS,
    ...HAND_OVER,
    storyEntriesMax: STORY_ENTRIES_MAX,
    validate: worker.validate,
    seed: process.pid,
  });
}

function scratchFolder({ worker }: SpillwayConfig): string {
  return worker.localDirectory === false ? tmpdir() : worker.localDirectory;
}
