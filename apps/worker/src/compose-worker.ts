import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { SOFTWARE_VERSION, type StimulusId } from '@spillway/kernel';
import { PROTOCOL_VERSION, type WorkerMetrics } from '@spillway/messages';
import type { Logger } from '@spillway/ports';
import {
  channelSecurityOf,
  IsolateGarbage,
  removeScratchFolder,
  scratchFolderOf,
  systemClock,
  systemTimers,
} from '@spillway/platform';
import { openWorkerLink, SchedulerQueries } from '@spillway/protocol';
import { ThreadExecutor, type ThreadExecutorOptions } from '@spillway/worker-executor';
import { DEFAULT_LIMITS, WorkerMachine, type WorkerEvent } from '@spillway/worker-machine';
import { GarbageDebt, garbageBudgetBytes } from '@spillway/worker-memory';
import { GarbageCollection, WorkerRuntime, type WorkerRuntimeOptions } from '@spillway/worker-runtime';
import { RamStore } from '@spillway/worker-store';
import type { TransferThread } from '@spillway/worker-transfer';
import { measureProcess } from './measure-process.js';
import type { LiveLimit } from './memory-limit.js';
import type { ResolvedWorker } from './worker-options.js';

/** A worker's parts, put together and not yet registered. */
export interface ComposedWorker {
  readonly machine: WorkerMachine;
  readonly runtime: WorkerRuntime;
  /** Without `close`: removes its own folder. */
  abandon(): void;
  /** After `close`: a native call holds a thread. */
  hasThread(): boolean;
  /** Has every isolate of this worker collect. */
  collectGarbage(): void;
  register(transfers: TransferThread, address: string): Promise<void>;
  close(reason: string): Promise<void>;
}

/** Every `new` of the worker's main thread, but for its data service. */
export function composeWorker(
  resolved: ResolvedWorker,
  logger: Logger,
  onEnd: WorkerRuntimeOptions['onEnd'],
): ComposedWorker {
  const { config, limit } = resolved;
  const queries = schedulerQueries(resolved);
  const machine = new WorkerMachine(machineOptions(resolved));
  const garbage = collectGarbageOf(resolved);
  const store = new RamStore((bytes) => garbage.collection.dropped(bytes));
  const measure = measureProcess(() => store.managedBytes);
  const scratchFolder = scratchFolderOf(config.worker.localDirectory, resolved.workerId);
  let contactAddress = '';
  let executor: ThreadExecutor | undefined;
  const runtime = new WorkerRuntime({
    machine,
    clock: systemClock,
    timers: systemTimers,
    logger,
    store,
    makeExecutor: (listener) => {
      const made = new ThreadExecutor({
        ...executorOptions(resolved),
        modules: { fetch: (hash) => queries.fetchModule(hash) },
        listener,
      });
      garbage.isolates.push(() => made.collectGarbage());
      executor = made;
      return made;
    },
    openLink: (hello, listener) => openLink(resolved, hello, listener),
    identity: () => identityOf(resolved, contactAddress),
    heartbeatIntervalMs: config.scheduler.heartbeatInterval,
    measure: () => ({ ...measure.read(), ...limitMetric(limit) }),
    onEnd,
  });
  limit.onChanged(() => runtime.dispatch(limitChanged(runtime.stimulus('limit-changed'), resolved)));
  return {
    machine,
    runtime,
    abandon: () => rmSync(scratchFolder, { recursive: true, force: true }),
    hasThread: () => executor?.hasThread ?? false,
    collectGarbage: garbage.askIsolates,
    register: async (transfers, address) => {
      contactAddress = address;
      garbage.isolates.push(() => transfers.collectGarbage());
      await runtime.start(transfers);
    },
    close: async (reason) => {
      measure.stop();
      garbage.collection.stop();
      await runtime.close(reason);
      queries.close();
      await removeScratchFolder(scratchFolder, (err) =>
        logger.warn({ err, scratchFolder }, 'the folder of this worker could not be removed'),
      );
    },
  };
}

/** Collects in every isolate that sees values; the threads add themselves to `isolates`. */
function collectGarbageOf({ limitBytes }: ResolvedWorker): {
  readonly collection: GarbageCollection;
  readonly isolates: (() => void)[];
  readonly askIsolates: () => void;
} {
  const own = new IsolateGarbage({ clock: systemClock, timers: systemTimers });
  const isolates = [() => own.ask()];
  const askIsolates = (): void => {
    for (const ask of isolates) ask();
  };
  const collection = new GarbageCollection({
    debt: new GarbageDebt(garbageBudgetBytes(limitBytes)),
    timers: systemTimers,
    askIsolates,
  });
  return { collection, isolates, askIsolates };
}

function machineOptions(resolved: ResolvedWorker): ConstructorParameters<typeof WorkerMachine>[0] {
  const { config, workerId } = resolved;
  const { worker } = config;
  return {
    ...DEFAULT_LIMITS,
    workerId,
    slotCount: worker.nthreads,
    transferBytesMax: transferBytesMaxOf(resolved),
    gatherMessageBytesMax: worker.transfer.messageBytesLimit,
    gatherPeersMax: worker.connections.outgoing,
    validate: config.scheduler.validate,
    seed: process.pid,
  };
}

function schedulerQueries({ config, schedulerAddress }: ResolvedWorker): SchedulerQueries {
  const security = channelSecurityOf(config.tls);
  return new SchedulerQueries({
    address: schedulerAddress,
    timeoutMs: config.client.callTimeout,
    ...(security === undefined ? {} : { security }),
  });
}

function openLink(
  { config, schedulerAddress }: ResolvedWorker,
  ...[hello, listener]: Parameters<WorkerRuntimeOptions['openLink']>
): ReturnType<WorkerRuntimeOptions['openLink']> {
  const security = channelSecurityOf(config.tls);
  return openWorkerLink({
    address: schedulerAddress,
    hello,
    listener,
    clock: systemClock,
    timers: systemTimers,
    connectTimeoutMs:
      config.worker.deathTimeout === false ? config.client.connectTimeout : config.worker.deathTimeout,
    resumeGraceMs: config.scheduler.workerReconnectGrace,
    ...(security === undefined ? {} : { security }),
  });
}

const limitChanged = (stimulusId: StimulusId, resolved: ResolvedWorker): WorkerEvent => ({
  type: 'limit-changed',
  stimulusId,
  transferBytesMax: transferBytesMaxOf(resolved),
});

const limitMetric = ({ bytes }: LiveLimit): Pick<WorkerMetrics, 'memoryLimitBytes'> =>
  bytes === false ? {} : { memoryLimitBytes: bytes };

function transferBytesMaxOf({ config, limit }: ResolvedWorker): number | false {
  const { transfer } = config.worker.memory;
  return limit.bytes === false || transfer === false ? false : limit.bytes * transfer;
}

function executorOptions(resolved: ResolvedWorker): Omit<ThreadExecutorOptions, 'modules' | 'listener'> {
  const { config, name, programs } = resolved;
  const { worker } = config;
  return {
    entry: programs.taskThread,
    slotCount: worker.nthreads,
    moduleFolder: join(scratchFolderOf(worker.localDirectory, resolved.workerId), 'modules'),
    preinstalled: worker.preinstalled,
    installFolder: worker.installFolder === false ? process.cwd() : worker.installFolder,
    heapMaxBytes: resolved.heapCaps.threadOldSpaceBytes,
    cancelGraceMs: worker.cancelGrace,
    abortGraceMs: worker.abortGrace,
    validate: worker.validate,
    workerName: name,
    timers: systemTimers,
    clock: systemClock,
  };
}

function identityOf(
  { config, workerId, nannyId, name, limit }: ResolvedWorker,
  address: string,
): ReturnType<WorkerRuntimeOptions['identity']> {
  return {
    workerId,
    name,
    ...(nannyId === undefined ? {} : { nannyId }),
    address,
    nthreads: config.worker.nthreads,
    memoryLimitBytes: limit.bytes,
    pid: process.pid,
    protocol: PROTOCOL_VERSION,
    softwareVersion: SOFTWARE_VERSION,
  };
}
