import { hostname } from 'node:os';
import { randomBytes } from 'node:crypto';
import {
  flagsSource,
  leavesValues,
  loadConfig,
  readConfigSources,
  type SpillwayConfig,
} from '@spillway/config';
import {
  asNannyId,
  GROWTH_BYTES_PER_MS,
  SOFTWARE_VERSION,
  UnknownWorkerError,
  type NannyId,
  type WorkerId,
} from '@spillway/kernel';
import {
  PROTOCOL_VERSION,
  type NannyToScheduler,
  type Quarantine,
  type SchedulerToNanny,
} from '@spillway/messages';
import type { Link, LinkListener, Logger } from '@spillway/ports';
import { NannyMachine } from '@spillway/nanny-machine';
import { NannyRuntime, type NannyEnd } from '@spillway/nanny-runtime';
import {
  channelSecurityOf,
  configDoors,
  contactAddressOf,
  ForkedChildren,
  removeScratchFolder,
  scratchFolderOf,
  serverSecurityOf,
  processMemory,
  programFiles,
  reapNanny,
  readOomKills,
  systemClock,
  systemTimers,
  type ProgramFiles,
} from '@spillway/platform';
import { NannyServer, openNannyLink, type NannyHandlers, type NannyStatus } from '@spillway/protocol';
import { createLogger } from '@spillway/telemetry';
import { jemallocVariables, type JemallocVariables } from './worker-allocator.js';
import { workerEnviron } from './worker-environ.js';
import { WorkersMemory } from './worker-memory.js';

/** The flags of `spillway nanny`, by name; each may be left out. */
export interface NannyOptions {
  readonly name?: string;
  readonly workers?: number;
  readonly nthreads?: number;
  readonly memoryLimit?: string | number | false;
  readonly memoryShare?: number;
  readonly host?: string;
  readonly port?: number;
  readonly localDirectory?: string;
  readonly environ?: Readonly<Record<string, string>>;
  readonly allocator?: 'system' | 'jemalloc' | 'auto';
  readonly validate?: boolean;
  readonly insecure?: boolean;
  readonly logLevel?: string;
}

export interface RunningNanny {
  /** How long `close` may take, with retiring. */
  readonly closeMsMax: number;
  readonly name: string;
  readonly address: string;
  /** Resolves once all workers are registered. */
  allReady(): Promise<void>;
  /** Resolves when the nanny has ended, on request or because the scheduler is gone. */
  readonly finished: Promise<NannyEnd>;
  /** Ends the workers in order, then the nanny. `retires`: what only they have is copied to others first, as far as there is time. */
  close(reason: string, options?: { readonly retires: boolean }): Promise<void>;
}

const STABLE_MS = 10_000;
/** For the nanny itself, when its workers have gone. */
const CLOSE_SLACK_MS = 5_000;
/** A worker takes a third of a second to its registration; one that takes this long hangs. */
const START_TIMEOUT_MS = 60_000;
/** Starts a nanny and its workers. Settings come from files and the environment, then from `options`. */
export async function startNanny(
  schedulerAddress: string,
  options: NannyOptions = {},
  programs: ProgramFiles = programFiles(),
): Promise<RunningNanny> {
  const sources = await readConfigSources(configDoors());
  const config = loadConfig([...sources, flagsSource('nanny', { ...options })], ['nanny', 'worker']);
  const nannyId = asNannyId(randomBytes(6).toString('hex'));
  const name = config.nanny.name === false ? `${hostname()}-${nannyId.slice(0, 4)}` : config.nanny.name;
  const logger = createLogger({ service: 'nanny', instance: name, level: config.log.level });
  const { platform, arch, env } = process;
  const jemalloc = jemallocVariables(config.nanny, { platform, arch, environ: env });
  if (jemalloc !== undefined) logger.info({ library: jemalloc.library }, 'workers are given jemalloc');
  const security = serverSecurityOf(config.tls);
  const server = await NannyServer.listen({
    address: `${config.nanny.host}:${config.nanny.port}`,
    handlers: handlersOf({ nannyId, name }, () => runtime),
    logger,
    ...(security === undefined ? {} : { security }),
  });
  const address = contactAddressOf(server.address, false);
  const who = { schedulerAddress, config, nannyId, name, address };
  const memory: WorkersMemory = new WorkersMemory({
    config,
    timers: systemTimers,
    logger,
    onChanged: (limitBytes) => runtime.limitChanged(limitBytes),
  });
  const runtime: NannyRuntime = composeRuntime(who, { memory, jemalloc, programs }, logger);
  const finished = runtime.finished.then(async (how) => {
    memory.cancel();
    await server.close();
    // What its workers have left there is for a nanny of this name.
    if (!runtime.hasLeftValues) await reapNanny(config.worker.localDirectory, name, systemClock.nowMs());
    return how;
  });
  try {
    await runtime.start();
    logger.info({ address }, `nanny ${name} listens to operators at ${address}`);
  } catch (error) {
    memory.cancel();
    await server.close();
    throw error;
  }
  const retireMs = config.worker.retireDeadline || 0;
  return {
    closeMsMax: retireMs + config.nanny.closeTimeout + CLOSE_SLACK_MS,
    name,
    address,
    allReady: () => runtime.allReady(),
    finished,
    close: async (reason, { retires } = { retires: false }) => {
      logger.info({ event: 'nanny.closing', reason }, 'nanny closing');
      server.setServing(false);
      runtime.stop(reason, retires ? config.worker.retireDeadline || undefined : undefined);
      await finished;
      logger.info({ event: 'nanny.closed' }, 'nanny closed');
    },
  };
}

/** What operators may ask. */
const handlersOf = (
  { nannyId, name }: Pick<Who, 'nannyId' | 'name'>,
  runtime: () => NannyRuntime,
): NannyHandlers => ({
  getStatus: () => ({ nannyId, name, slots: runtime().slots.map(describeSlot) }),
  restartWorker: (workerId, reason) => runtime().restartWorker(workerId, reason),
  releaseWorker: (workerName, reason) => {
    if (!runtime().releaseWorker(workerName, reason))
      throw new UnknownWorkerError(
        `No worker ${workerName} of nanny ${name} is in quarantine. Its log says which are.`,
      );
  },
  stop: (reason) => runtime().stop(reason),
});

interface Who {
  readonly schedulerAddress: string;
  readonly config: SpillwayConfig;
  readonly nannyId: NannyId;
  readonly name: string;
  readonly address: string;
}

/** What workers are started from, and with. */
interface WorkerStart {
  readonly memory: WorkersMemory;
  readonly jemalloc: JemallocVariables | undefined;
  readonly programs: ProgramFiles;
}

function composeRuntime(who: Who, { memory, jemalloc, programs }: WorkerStart, logger: Logger): NannyRuntime {
  const { config, nannyId, name } = who;
  const { nanny, worker } = config;
  const runtime: NannyRuntime = new NannyRuntime({
    machine: new NannyMachine({
      nannyId,
      workerNames: Array.from({ length: nanny.workers }, (_, slot) => `${name}-${slot}`),
      closeTimeoutMs: nanny.closeTimeout,
      restartDrainMs: worker.retireDeadline || 0,
      startTimeoutMs: worker.deathTimeout === false ? START_TIMEOUT_MS : worker.deathTimeout,
      workerTtlMs: nanny.workerTtl,
      backoffBaseMs: nanny.restartBackoff.base,
      backoffMaxMs: nanny.restartBackoff.max,
      stableMs: STABLE_MS,
      quarantineDeaths: nanny.quarantine.deaths,
      quarantineWindowMs: nanny.quarantine.window,
      quarantineReleaseMs: nanny.quarantine.release,
      limitBytes: memory.limitBytes,
      terminateFraction: worker.memory.terminate,
      growthBytesPerMs: GROWTH_BYTES_PER_MS,
      adopts: leavesValues(worker, memory.limitBytes),
    }),
    clock: systemClock,
    timers: systemTimers,
    logger,
    children: new ForkedChildren(programs.worker, process.env),
    processMemory,
    oomKillCount: readOomKills,
    workerArgs: (workerId, workerName) => workerArguments(who, workerId, workerName),
    workerEnviron: () =>
      workerEnviron({ config, ownEnviron: process.env, jemalloc, memoryLimit: memory.setting }),
    workerExecArgv: () => memory.execArgv,
    onWorkerGone: (workerId) => {
      const scratchFolder = scratchFolderOf(worker.localDirectory, workerId);
      void removeScratchFolder(scratchFolder, (err) =>
        logger.warn({ err, scratchFolder }, 'the folder of a worker that is gone could not be removed'),
      );
    },
    openLink: (listener) => openLink(who, listener, () => runtime.quarantined),
  });
  return runtime;
}

function openLink(
  { schedulerAddress, config, ...who }: Who,
  listener: LinkListener<SchedulerToNanny>,
  quarantined: () => readonly Quarantine[],
): Promise<Link<NannyToScheduler>> {
  const security = channelSecurityOf(config.tls);
  return openNannyLink({
    address: schedulerAddress,
    hello: () => ({
      ...who,
      pid: process.pid,
      protocol: PROTOCOL_VERSION,
      softwareVersion: SOFTWARE_VERSION,
      quarantined: quarantined(),
    }),
    listener,
    clock: systemClock,
    timers: systemTimers,
    connectTimeoutMs:
      config.worker.deathTimeout === false ? config.client.connectTimeout : config.worker.deathTimeout,
    resumeGraceMs: config.worker.schedulerWait,
    ...(security === undefined ? {} : { security }),
  });
}

function workerArguments(
  { schedulerAddress, config, nannyId, name }: Who,
  workerId: WorkerId,
  workerName: string,
): readonly string[] {
  const keepsName = config.nanny.name === false ? [] : ['--keeps-nanny-name'];
  const nanny = ['--nanny-id', nannyId, '--nanny-name', name, ...keepsName];
  return ['--scheduler', schedulerAddress, ...nanny, '--worker-id', workerId, '--name', workerName];
}

function describeSlot(slot: NannyRuntime['slots'][number]): NannyStatus['slots'][number] {
  const life = 'life' in slot.state ? slot.state.life : undefined;
  return {
    workerName: slot.workerName,
    state: slot.state.name,
    lives: slot.lifeCount,
    ...(life === undefined ? {} : { workerId: life.workerId }),
    ...(life?.pid === undefined ? {} : { pid: life.pid }),
    ...(slot.state.name === 'quarantined' ? { quarantineReason: slot.state.reason } : {}),
  };
}
