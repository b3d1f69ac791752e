import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { SOFTWARE_VERSION, type ModuleHash, type StimulusId } from '@spillway/kernel';
import { PROTOCOL_VERSION, type WorkerMetrics } from '@spillway/messages';
import type { Logger } from '@spillway/ports';
import {
  channelSecurityOf,
  removeScratchFolder,
  scratchFolderOf,
  systemClock,
  systemTimers,
} from '@spillway/platform';
import { openWorkerLink, SchedulerQueries } from '@spillway/protocol';
import { ThreadExecutor, type ThreadExecutorOptions } from '@spillway/worker-executor';
import { DEFAULT_LIMITS, WorkerMachine, type WorkerEvent } from '@spillway/worker-machine';
import type { MemoryMachine } from '@spillway/worker-memory';
import { WorkerRuntime, type WorkerRuntimeOptions } from '@spillway/worker-runtime';
import type { TransferThread } from '@spillway/worker-transfer';
import { composeMemory, memoryMachineOf } from './compose-memory.js';
import { Leftovers } from './leftovers.js';
import { measureProcess } from './measure-process.js';
import type { LiveLimit } from './memory-limit.js';
import { openStore } from './open-store.js';
import type { ResolvedWorker } from './worker-options.js';

/** A worker's parts, put together and not yet registered. */
export interface ComposedWorker {
  readonly runtime: WorkerRuntime;
  /** When its nanny ends, too: one of that name may be started again, and its worker takes over what this one has on disk. */
  readonly canLeaveValues: boolean;
  /** To a successor that its nanny starts. */
  readonly leavesValues: boolean;
  /** Without `close`, as its nanny is gone: removes its own folders, unless a nanny of that name may come back. */
  abandon(): void;
  /** After `close`: a native call holds a thread. */
  hasThread(): boolean;
  register(transfers: TransferThread, address: string): Promise<void>;
  /** `hasNextLife`: another worker starts under this name, and can take over what this one has. */
  close(reason: string, hasNextLife: boolean): Promise<void>;
}

/** Every `new` of the worker's main thread, but for its data service. */
export async function composeWorker(
  resolved: ResolvedWorker,
  logger: Logger,
  onEnd: WorkerRuntimeOptions['onEnd'],
): Promise<ComposedWorker> {
  const { config, limit } = resolved;
  const queries = schedulerQueries(resolved);
  const open = await openStore(resolved, logger, {
    isInUse: (key) => memoryMachine.isPinned(key),
    onLost: (keys) => runtime.onValuesLost(keys),
  });
  const memoryMachine: MemoryMachine = memoryMachineOf(resolved, open.evicts);
  const measure = measureProcess();
  const scratchFolder = scratchFolderOf(config.worker.localDirectory, resolved.workerId);
  let contactAddress = '';
  const executor = lazyExecutor(resolved, queries);
  const runtime: WorkerRuntime = new WorkerRuntime({
    machine: new WorkerMachine(machineOptions(resolved)),
    memory: composeMemory(resolved, memoryMachine, open, logger),
    clock: systemClock,
    timers: systemTimers,
    logger,
    makeExecutor: executor.make,
    openLink: (hello, listener) => openLink(resolved, hello, listener),
    identity: () => identityOf(resolved, contactAddress),
    heartbeatIntervalMs: config.scheduler.heartbeatInterval,
    ...(resolved.onHeartbeat === undefined ? {} : { onHeartbeat: resolved.onHeartbeat }),
    measure: () => ({ ...measure.read(), ...limitMetric(limit) }),
    loopDelay: () => Promise.resolve(measure.loopDelay()),
    onEnd,
  });
  limit.onChanged(() => runtime.dispatch(limitChanged(runtime.stimulus('limit-changed'), resolved)));
  runtime.adopt(open.adopted);
  const leftovers = new Leftovers(open.root, logger);
  const canLeaveValues = open.leavesValues && resolved.keepsNannyName;
  return {
    ...{ runtime, canLeaveValues, leavesValues: open.leavesValues, hasThread: executor.hasThread },
    abandon: () => {
      if (!canLeaveValues) open.abandon();
      rmSync(scratchFolder, { recursive: true, force: true });
    },
    register: async (transfers, address) => {
      contactAddress = address;
      await runtime.start(transfers);
      await open.prove();
      leftovers.watch();
    },
    close: async (reason, hasNextLife) => {
      const leavesValues = hasNextLife && open.leavesValues;
      measure.stop();
      leftovers.stop();
      await runtime.close(reason, leavesValues);
      queries.close();
      await open.close(leavesValues);
      await removeScratch(scratchFolder, logger);
    },
  };
}

const removeScratch = (scratchFolder: string, logger: Logger): Promise<void> =>
  removeScratchFolder(scratchFolder, (err) =>
    logger.warn({ err, scratchFolder }, 'the folder of this worker could not be removed'),
  );

/** The executor is made by the runtime, which it reports to. */
function lazyExecutor(
  resolved: ResolvedWorker,
  queries: SchedulerQueries,
): { readonly make: WorkerRuntimeOptions['makeExecutor']; readonly hasThread: () => boolean } {
  let executor: ThreadExecutor | undefined;
  return {
    make: (listener) => {
      const modules = { fetch: (hash: ModuleHash) => queries.fetchModule(hash) };
      executor = new ThreadExecutor({ ...executorOptions(resolved), modules, listener });
      return executor;
    },
    hasThread: () => executor?.hasThread ?? false,
  };
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
    resumeGraceMs: config.worker.schedulerWait,
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

/** Of the limit at the start: what is cached is dropped before anything else when memory is short. */
function decodedCacheBytesMaxOf({ config, limitBytes }: ResolvedWorker): number | false {
  const { decodedCache } = config.worker.memory;
  return limitBytes === false || decodedCache === false ? false : limitBytes * decodedCache;
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
    youngMaxBytes: resolved.heapCaps.threadYoungSpaceBytes,
    decodedCacheBytesMax: decodedCacheBytesMaxOf(resolved),
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
  const { terminate } = config.worker.memory;
  return {
    workerId,
    name,
    ...(nannyId === undefined ? {} : { nannyId }),
    address,
    nthreads: config.worker.nthreads,
    memoryLimitBytes: limit.bytes,
    isLimitEnforced: config.worker.memory.terminate !== false,
    ...(nannyId === undefined || terminate === false ? {} : { terminateFraction: terminate }),
    pid: process.pid,
    protocol: PROTOCOL_VERSION,
    softwareVersion: SOFTWARE_VERSION,
  };
}
