import { hostname } from 'node:os';
import { loadConfig, flagsSource, readConfigSources, type SpillwayConfig } from '@spillway/config';
import { SOFTWARE_VERSION } from '@spillway/kernel';
import { INLINE_RESULT_BYTES_MAX } from '@spillway/messages';
import {
  channelSecurityOf,
  configDoors,
  contactAddressOf,
  serverSecurityOf,
  systemClock,
  systemTimers,
} from '@spillway/platform';
import { SchedulerServer } from '@spillway/protocol';
import { SchedulerMachine } from '@spillway/scheduler-machine';
import { SchedulerRuntime } from '@spillway/scheduler-runtime';
import { createLogger } from '@spillway/telemetry';
import { startHttp, type HttpServer } from './http-server.js';
import { openJournal } from './open-journal.js';

/** The flags of `spillway scheduler`, by name; each may be left out. */
export interface SchedulerOptions {
  readonly host?: string;
  readonly port?: number;
  readonly httpPort?: number | false;
  readonly contactAddress?: string;
  readonly allowedFailures?: number;
  readonly noWorkersTimeout?: string | number | false;
  readonly memoryStuckTimeout?: string | number | false;
  readonly retireDeadline?: string | number;
  readonly validate?: boolean;
  readonly journal?: string | false;
  readonly insecure?: boolean;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly logLevel?: string;
}

export interface RunningScheduler {
  /** `host:port` for workers, nannies and clients. */
  readonly address: string;
  readonly httpAddress: string | undefined;
  /** Tells everybody that the cluster ends, and ends. */
  close(reason: string): Promise<void>;
}

const STORY_ENTRIES_MAX = 100_000;
const UNKNOWN_DURATION_MS = 500;
const FIRST_BANDWIDTH_BYTES_PER_SECOND = 300e6;
const PREFETCH_COUNT_MAX = 128;
const COMMIT_STEPS_MAX = 1_000;

/** Starts a scheduler in this process. Settings come from files and the environment, then from `options`. */
export async function startScheduler(options: SchedulerOptions = {}): Promise<RunningScheduler> {
  const sources = await readConfigSources(configDoors());
  const config = loadConfig([...sources, flagsSource('scheduler', { ...options })], ['scheduler']);
  const { scheduler } = config;
  const security = serverSecurityOf(config.tls);
  const workerSecurity = channelSecurityOf(config.tls);
  const logger = createLogger({ service: 'scheduler', instance: hostname(), level: config.log.level });
  const journaled = await openJournal(scheduler, logger);
  const runtime = new SchedulerRuntime({
    machine: schedulerMachine(config, journaled !== undefined),
    clock: systemClock,
    timers: systemTimers,
    logger,
    moduleCacheBytesMax: scheduler.moduleCacheMax,
    ...(journaled === undefined ? {} : { journal: journaled.journal }),
  });
  if (journaled !== undefined) runtime.recover(journaled.state.records());
  const server = await SchedulerServer.listen({
    address: `${scheduler.host}:${scheduler.port}`,
    handlers: runtime,
    clock: systemClock,
    timers: systemTimers,
    logger,
    resumeGraceMs: {
      clients: scheduler.clientLease,
      workers: scheduler.workerReconnectGrace,
      nannies: scheduler.workerReconnectGrace,
    },
    heartbeatMs: scheduler.heartbeatInterval,
    softwareVersion: SOFTWARE_VERSION,
    reflection: process.env['NODE_ENV'] !== 'production',
    ...(security === undefined ? {} : { security }),
    ...(workerSecurity === undefined ? {} : { workerSecurity }),
  });
  const address = contactAddressOf(server.address, scheduler.contactAddress);
  const http = await startHttpUnlessOff(config, logger);
  logger.info({ event: 'scheduler.ready', address, http: http?.address }, `scheduler ready at ${address}`);
  return {
    address,
    httpAddress: http?.address,
    close: async (reason) => {
      logger.info({ event: 'scheduler.closing', reason }, 'scheduler closing');
      server.setServing(false);
      http?.setReady(false);
      runtime.close(reason);
      await Promise.all([server.close(), http?.close()]);
      // The cluster has ended with it: there is nothing to go on with.
      await journaled?.journal.close({ keep: false });
      logger.info({ event: 'scheduler.closed' }, 'scheduler closed');
    },
  };
}

/** The thresholds of workers are taken to be those that are set here: they only order workers that are otherwise equal. */
function schedulerMachine({ scheduler, worker }: SpillwayConfig, journal: boolean): SchedulerMachine {
  return new SchedulerMachine({
    allowedFailures: scheduler.allowedFailures,
    prefetchMs: scheduler.prefetch,
    prefetchCountMax: PREFETCH_COUNT_MAX,
    clientLeaseMs: scheduler.clientLease,
    noWorkersTimeoutMs: scheduler.noWorkersTimeout,
    memoryStuckTimeoutMs: scheduler.memoryStuckTimeout,
    retireDeadlineMs: scheduler.retireDeadline,
    targetFraction: worker.memory.target,
    pauseFraction: worker.memory.pause,
    unknownDurationMs: UNKNOWN_DURATION_MS,
    bandwidthBytesPerSecond: FIRST_BANDWIDTH_BYTES_PER_SECOND,
    commitStepsMax: COMMIT_STEPS_MAX,
    storyEntriesMax: STORY_ENTRIES_MAX,
    inlineResultBytesMax: INLINE_RESULT_BYTES_MAX,
    recoveryWaitMs: scheduler.recoveryWait,
    journal,
    validate: scheduler.validate,
    seed: 1,
  });
}

async function startHttpUnlessOff(
  { scheduler }: SpillwayConfig,
  logger: ReturnType<typeof createLogger>,
): Promise<HttpServer | undefined> {
  if (scheduler.httpPort === false) return undefined;
  return startHttp({ host: scheduler.host, port: scheduler.httpPort, logger });
}
