import { hostname } from 'node:os';
import { randomBytes } from 'node:crypto';
import {
  flagsSource,
  loadConfig,
  readConfigSources,
  toEnvironment,
  type SpillwayConfig,
} from '@spillway/config';
import { asNannyId, SOFTWARE_VERSION, type NannyId, type WorkerId } from '@spillway/kernel';
import { PROTOCOL_VERSION, type NannyToScheduler, type SchedulerToNanny } from '@spillway/messages';
import type { Link, LinkListener, Logger } from '@spillway/ports';
import { NannyMachine } from '@spillway/nanny-machine';
import { NannyRuntime, type NannyEnd } from '@spillway/nanny-runtime';
import {
  channelSecurityOf,
  configDoors,
  contactAddressOf,
  ForkedChildren,
  serverSecurityOf,
  programFiles,
  systemClock,
  systemTimers,
  type ProgramFiles,
} from '@spillway/platform';
import { NannyServer, openNannyLink, type NannyStatus } from '@spillway/protocol';
import { createLogger } from '@spillway/telemetry';
import { workerLimitOf } from './worker-memory.js';

/** The flags of `spillway nanny`, by name; each may be left out. */
export interface NannyOptions {
  readonly name?: string;
  readonly workers?: number;
  readonly nthreads?: number;
  readonly memoryLimit?: string | number | false;
  readonly host?: string;
  readonly port?: number;
  readonly localDirectory?: string;
  readonly environ?: Readonly<Record<string, string>>;
  readonly validate?: boolean;
  readonly insecure?: boolean;
  readonly logLevel?: string;
}

export interface RunningNanny {
  readonly name: string;
  readonly address: string;
  /** Resolves once all workers are registered. */
  allReady(): Promise<void>;
  /** Resolves when the nanny has ended, on request or because the scheduler is gone. */
  readonly finished: Promise<NannyEnd>;
  /** Ends the workers in order, then the nanny. */
  close(reason: string): Promise<void>;
}

const STABLE_MS = 10_000;
/** Variables that cost every worker start time and that it has no use for (toolchain.md section 2). */
const DROPPED_VARIABLES = { NODE_EXTRA_CA_CERTS: null, NODE_OPTIONS: null };

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
  const security = serverSecurityOf(config.tls);
  const server = await NannyServer.listen({
    address: `${config.nanny.host}:${config.nanny.port}`,
    handlers: {
      getStatus: () => ({ nannyId, name, slots: runtime.slots.map(describeSlot) }),
      restartWorker: (workerId, reason) => runtime.restartWorker(workerId, reason),
      stop: (reason) => runtime.stop(reason),
    },
    logger,
    ...(security === undefined ? {} : { security }),
  });
  const address = contactAddressOf(server.address, false);
  const who = { schedulerAddress, config, nannyId, name, address };
  const runtime: NannyRuntime = composeRuntime(who, programs, logger);
  const finished = runtime.finished.then(async (how) => {
    await server.close();
    return how;
  });
  try {
    await runtime.start();
  } catch (error) {
    await server.close();
    throw error;
  }
  return {
    name,
    address,
    allReady: () => runtime.allReady(),
    finished,
    close: async (reason) => {
      logger.info({ event: 'nanny.closing', reason }, 'nanny closing');
      server.setServing(false);
      runtime.stop(reason);
      await finished;
      logger.info({ event: 'nanny.closed' }, 'nanny closed');
    },
  };
}

interface Who {
  readonly schedulerAddress: string;
  readonly config: SpillwayConfig;
  readonly nannyId: NannyId;
  readonly name: string;
  readonly address: string;
}

function composeRuntime(who: Who, programs: ProgramFiles, logger: Logger): NannyRuntime {
  const { config, schedulerAddress, nannyId, name } = who;
  const { nanny } = config;
  return new NannyRuntime({
    machine: new NannyMachine({
      nannyId,
      workerNames: Array.from({ length: nanny.workers }, (_, slot) => `${name}-${slot}`),
      closeTimeoutMs: nanny.closeTimeout,
      backoffBaseMs: nanny.restartBackoff.base,
      backoffMaxMs: nanny.restartBackoff.max,
      stableMs: STABLE_MS,
    }),
    clock: systemClock,
    timers: systemTimers,
    logger,
    children: new ForkedChildren(programs.worker, process.env),
    workerArgs: (workerId, workerName) => workerArguments(schedulerAddress, nannyId, workerId, workerName),
    workerEnviron: { ...DROPPED_VARIABLES, ...workerSettings(config), ...nanny.environ },
    openLink: (listener) => openLink(who, listener),
  });
}

function openLink(
  { schedulerAddress, config, ...who }: Who,
  listener: LinkListener<SchedulerToNanny>,
): Promise<Link<NannyToScheduler>> {
  const security = channelSecurityOf(config.tls);
  return openNannyLink({
    address: schedulerAddress,
    hello: () => ({
      ...who,
      pid: process.pid,
      protocol: PROTOCOL_VERSION,
      softwareVersion: SOFTWARE_VERSION,
    }),
    listener,
    clock: systemClock,
    timers: systemTimers,
    connectTimeoutMs: config.client.connectTimeout,
    resumeGraceMs: config.scheduler.workerReconnectGrace,
    ...(security === undefined ? {} : { security }),
  });
}

function workerArguments(
  scheduler: string,
  nannyId: NannyId,
  workerId: WorkerId,
  name: string,
): readonly string[] {
  return ['--scheduler', scheduler, '--nanny-id', nannyId, '--worker-id', workerId, '--name', name];
}

/** The nanny's own settings, handed on, with the memory limit worked out once for all workers of this nanny. */
function workerSettings(config: SpillwayConfig): Record<string, string> {
  const limit = workerLimitOf(config);
  return {
    ...toEnvironment(config, ({ programs }) => programs.includes('worker')),
    SPILLWAY_WORKER__MEMORY__LIMIT: limit === false ? 'none' : `${limit} B`,
  };
}

function describeSlot(slot: NannyRuntime['slots'][number]): NannyStatus['slots'][number] {
  const life = 'life' in slot.state ? slot.state.life : undefined;
  return {
    workerName: slot.workerName,
    state: slot.state.name,
    lives: slot.lifeCount,
    ...(life === undefined ? {} : { workerId: life.workerId }),
    ...(life?.pid === undefined ? {} : { pid: life.pid }),
  };
}
