import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SOFTWARE_VERSION } from '@spillway/kernel';
import { PROTOCOL_VERSION } from '@spillway/messages';
import type { Logger, PeerLink } from '@spillway/ports';
import { channelSecurityOf, systemClock, systemTimers } from '@spillway/platform';
import { openWorkerLink, SchedulerQueries } from '@spillway/protocol';
import { ThreadExecutor, type ThreadExecutorOptions } from '@spillway/worker-executor';
import { DEFAULT_LIMITS, WorkerMachine } from '@spillway/worker-machine';
import { WorkerRuntime, type WorkerRuntimeOptions } from '@spillway/worker-runtime';
import { RamStore } from '@spillway/worker-store';
import { measureProcess } from './measure-process.js';
import type { ResolvedWorker } from './worker-options.js';

/** A worker's parts, put together and not yet registered. */
export interface ComposedWorker {
  readonly machine: WorkerMachine;
  readonly runtime: WorkerRuntime;
  register(peers: PeerLink, address: string): Promise<void>;
  close(reason: string): Promise<void>;
}

/** Every `new` of the worker's main thread, but for its data service. */
export function composeWorker(
  resolved: ResolvedWorker,
  logger: Logger,
  onEnd: WorkerRuntimeOptions['onEnd'],
): ComposedWorker {
  const { config, schedulerAddress } = resolved;
  const security = channelSecurityOf(config.tls);
  const queries = new SchedulerQueries({
    address: schedulerAddress,
    timeoutMs: config.client.callTimeout,
    ...(security === undefined ? {} : { security }),
  });
  const machine = new WorkerMachine(machineOptions(resolved));
  const store = new RamStore();
  const measure = measureProcess(() => store.managedBytes);
  let contactAddress = '';
  const runtime = new WorkerRuntime({
    machine,
    clock: systemClock,
    timers: systemTimers,
    logger,
    store,
    makeExecutor: (listener) =>
      new ThreadExecutor({
        ...executorOptions(resolved),
        modules: { fetch: (hash) => queries.fetchModule(hash) },
        listener,
      }),
    openLink: (hello, listener) =>
      openWorkerLink({
        address: schedulerAddress,
        hello,
        listener,
        clock: systemClock,
        timers: systemTimers,
        connectTimeoutMs:
          config.worker.deathTimeout === false ? config.client.connectTimeout : config.worker.deathTimeout,
        resumeGraceMs: config.scheduler.workerReconnectGrace,
        ...(security === undefined ? {} : { security }),
      }),
    identity: () => identityOf(resolved, contactAddress),
    heartbeatIntervalMs: config.scheduler.heartbeatInterval,
    measure: measure.read,
    onEnd,
  });
  return {
    machine,
    runtime,
    register: async (peers, address) => {
      contactAddress = address;
      await runtime.start(peers);
    },
    close: async (reason) => {
      measure.stop();
      await runtime.close(reason);
      queries.close();
      await rm(scratchFolderOf(resolved), { recursive: true, force: true });
    },
  };
}

function machineOptions({
  config,
  workerId,
  limitBytes,
}: ResolvedWorker): ConstructorParameters<typeof WorkerMachine>[0] {
  const { worker } = config;
  const { transfer } = worker.memory;
  return {
    ...DEFAULT_LIMITS,
    workerId,
    slotCount: worker.nthreads,
    transferBytesMax: limitBytes === false || transfer === false ? false : limitBytes * transfer,
    gatherMessageBytesMax: worker.transfer.messageBytesLimit,
    gatherPeersMax: worker.connections.outgoing,
    validate: config.scheduler.validate,
    seed: process.pid,
  };
}

/** This worker's own folder, removed when it closes. Not by process id: containers that share a volume have the same. */
function scratchFolderOf({ config, workerId }: ResolvedWorker): string {
  const { localDirectory } = config.worker;
  const parent = localDirectory === false ? tmpdir() : localDirectory;
  return join(parent, `spillway-${workerId.replaceAll('/', '-')}`);
}

function executorOptions(resolved: ResolvedWorker): Omit<ThreadExecutorOptions, 'modules' | 'listener'> {
  const { config, name, limitBytes, programs } = resolved;
  const { worker } = config;
  return {
    entry: programs.taskThread,
    slotCount: worker.nthreads,
    moduleFolder: join(scratchFolderOf(resolved), 'modules'),
    preinstalled: worker.preinstalled,
    installFolder: worker.installFolder === false ? process.cwd() : worker.installFolder,
    heapMaxBytes: limitBytes,
    cancelGraceMs: worker.cancelGrace,
    abortGraceMs: worker.abortGrace,
    validate: worker.validate,
    workerName: name,
    timers: systemTimers,
    clock: systemClock,
  };
}

function identityOf(
  { config, workerId, nannyId, name, limitBytes }: ResolvedWorker,
  address: string,
): ReturnType<WorkerRuntimeOptions['identity']> {
  return {
    workerId,
    name,
    ...(nannyId === undefined ? {} : { nannyId }),
    address,
    nthreads: config.worker.nthreads,
    memoryLimitBytes: limitBytes,
    pid: process.pid,
    protocol: PROTOCOL_VERSION,
    softwareVersion: SOFTWARE_VERSION,
  };
}
