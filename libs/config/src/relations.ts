/** What settings must agree on with each other. Checked once each of them is right by itself. */
import { formatDuration } from './durations.js';
import type { Program } from './setting.js';
import type { SpillwayConfig } from './settings.js';

export interface Relation {
  /** The settings it is about: it is skipped when one of them is wrong already, and errors name all their origins. */
  readonly paths: readonly string[];
  /** What is wrong, as a phrase; `undefined` when it holds. */
  readonly check: (config: SpillwayConfig) => string | undefined;
  /** Only matters where this program will listen. */
  readonly listener?: Program;
}

/** One heartbeat that is late is no silence. */
const HEARTBEATS_MISSED_MIN = 3;

const LADDER = ['target', 'spill', 'pause', 'terminate'] as const;

const isLoopback = (host: string): boolean => /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);

function inOrder(lower: number, upper: number, lowerPath: string, upperPath: string): string | undefined {
  if (lower <= upper) return undefined;
  return `${lowerPath} (${formatDuration(lower)}) must not be longer than ${upperPath} (${formatDuration(upper)})`;
}

const ladder: readonly Relation[] = LADDER.flatMap((lower, index) =>
  LADDER.slice(index + 1).map((upper) => ({
    paths: [`worker.memory.${lower}`, `worker.memory.${upper}`],
    check: ({ worker: { memory } }: SpillwayConfig) => {
      if (memory[lower] === false || memory[upper] === false || memory[lower] <= memory[upper])
        return undefined;
      return `${lower} (${memory[lower]}) must not be above ${upper} (${memory[upper]})`;
    },
  })),
);

/** Listening where others can connect, with no TLS and nobody having said that this is meant. */
const guarded: readonly Relation[] = (['scheduler', 'nanny', 'worker'] as const).map((program) => ({
  listener: program,
  paths: [`${program}.host`, 'tls.cert', 'security.insecure'],
  check: (config) => {
    const { host } = config[program];
    if (isLoopback(host) || config.tls.cert !== false || config.security.insecure) return undefined;
    return `listening on ${host} lets whoever reaches it run code: set tls.cert and tls.key, or security.insecure`;
  },
}));

export const RELATIONS: readonly Relation[] = [
  ...ladder,
  ...guarded,
  {
    paths: ['worker.memory.monitor-interval', 'scheduler.heartbeat-interval'],
    check: ({ worker, scheduler }) =>
      worker.memory.monitorInterval < scheduler.heartbeatInterval
        ? undefined
        : `the monitor interval (${formatDuration(worker.memory.monitorInterval)}) must be shorter than the heartbeat interval ` +
          `(${formatDuration(scheduler.heartbeatInterval)}), so that heartbeats carry news`,
  },
  {
    paths: ['worker.memory.pause', 'worker.memory.pause-release-gap'],
    check: ({ worker: { memory } }) =>
      memory.pause === false || memory.pauseReleaseGap === false || memory.pauseReleaseGap < memory.pause
        ? undefined
        : `the gap (${memory.pauseReleaseGap}) must be smaller than pause (${memory.pause}), or a paused worker never goes on`,
  },
  {
    paths: ['worker.memory.pause-return', 'worker.memory.pause-recycle'],
    check: ({ worker: { memory } }) =>
      memory.pauseReturn === false || memory.pauseRecycle === false
        ? undefined
        : inOrder(memory.pauseReturn, memory.pauseRecycle, 'pause-return', 'pause-recycle'),
  },
  {
    paths: ['worker.data-options', 'worker.data'],
    check: ({ worker: { data, dataOptions } }) =>
      data !== false || Object.keys(dataOptions).length === 0
        ? undefined
        : 'nothing takes these options: set worker.data to what does',
  },
  {
    paths: ['worker.abort-grace', 'worker.cancel-grace'],
    check: ({ worker }) => inOrder(worker.abortGrace, worker.cancelGrace, 'abort-grace', 'cancel-grace'),
  },
  {
    paths: ['scheduler.heartbeat-interval', 'nanny.worker-ttl'],
    check: ({ scheduler: { heartbeatInterval }, nanny: { workerTtl } }) =>
      workerTtl === false || workerTtl >= HEARTBEATS_MISSED_MIN * heartbeatInterval
        ? undefined
        : `worker-ttl (${formatDuration(workerTtl)}) must be at least ${HEARTBEATS_MISSED_MIN} heartbeat intervals ` +
          `(${formatDuration(heartbeatInterval)} each), or a worker is killed for one that is late`,
  },
  {
    paths: ['nanny.restart-backoff.base', 'nanny.restart-backoff.max'],
    check: ({ nanny: { restartBackoff } }) => inOrder(restartBackoff.base, restartBackoff.max, 'base', 'max'),
  },
  {
    paths: ['client.relay-after', 'client.call-timeout'],
    check: ({ client }) => inOrder(client.relayAfter, client.callTimeout, 'relay-after', 'call-timeout'),
  },
  {
    paths: ['scheduler.port', 'scheduler.http-port'],
    check: ({ scheduler: { port, httpPort } }) =>
      port !== 0 && port === httpPort ? `both are ${port}; each needs a port of its own` : undefined,
  },
  {
    paths: ['tls.cert', 'tls.key'],
    check: ({ tls }) =>
      (tls.cert === false) === (tls.key === false)
        ? undefined
        : 'a certificate and its key go together: give both or none',
  },
];
