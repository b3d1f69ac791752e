/** What a nanny and the scheduler say to each other, as it arrived: validated and bounded. */
import { asNannyId, asWorkerId } from '@spillway/kernel';
import type {
  DeathCause,
  MemorySample,
  NannyHello,
  NannyToScheduler,
  Quarantine,
  SchedulerToNanny,
  Verdict,
} from '@spillway/messages';
import type { spillway } from '@spillway/proto';
import { address, count, durationMs, each, invalid, required, text, words } from './checks.js';
import { protocolVersion } from './values.js';
import { stimulus } from './worker.js';

const TEXT_LENGTH_MAX = 64 * 1024;

const quarantine = (wire: spillway.v1.WorkerQuarantined): Quarantine => ({
  workerName: text(wire.workerName, 'worker_name'),
  reason: words(wire.reason, 'reason', TEXT_LENGTH_MAX),
  forMs: durationMs(wire.elapsed, 'elapsed'),
  releaseInMs:
    wire.releaseDelay === null || wire.releaseDelay === undefined
      ? false
      : durationMs(wire.releaseDelay, 'release_delay'),
});

export const nannyHello = (wire: spillway.v1.NannyHello): NannyHello => ({
  nannyId: asNannyId(text(wire.nannyId, 'nanny_id')),
  name: text(wire.name, 'name'),
  address: address(wire.address, 'address'),
  pid: count(wire.pid, 'pid'),
  protocol: required(wire.protocol, 'protocol', protocolVersion),
  softwareVersion: words(wire.softwareVersion, 'software_version'),
  ...(wire.quarantined.length === 0
    ? {}
    : { quarantined: each(wire.quarantined, 'quarantined', quarantine) }),
});

function deathCause(wire: spillway.v1.DeathCause): DeathCause {
  switch (wire.kind) {
    case 'closed':
      return { kind: 'closed' };
    case 'exitCode':
      return required(wire.exitCode, 'exit_code', (m) => ({ kind: 'exit-code', code: m.code }));
    case 'signal':
      return required(wire.signal, 'signal', (m) => ({ kind: 'signal', signal: text(m.signal, 'signal') }));
    case 'heapExhausted':
      return { kind: 'heap-exhausted' };
    case 'memoryLimit':
      return required(wire.memoryLimit, 'memory_limit', (m) => ({
        kind: 'memory-limit',
        processBytes: count(m.processBytes, 'process_bytes'),
        limitBytes: count(m.limitBytes, 'limit_bytes'),
        terminateBytes: count(m.terminateBytes, 'terminate_bytes'),
      }));
    case 'hung':
      return required(wire.hung, 'hung', (m) => ({
        kind: 'hung',
        silentMs: durationMs(m.silence, 'silence'),
        ttlMs: durationMs(m.ttl, 'ttl'),
      }));
    case 'kernelOom':
      return { kind: 'kernel-oom' };
    case 'recycled':
      return required(wire.recycled, 'recycled', (m) => ({
        kind: 'recycled',
        reason: words(m.reason, 'reason', TEXT_LENGTH_MAX),
      }));
    case 'startFailed':
      return required(wire.startFailed, 'start_failed', (m) => ({
        kind: 'start-failed',
        message: words(m.message, 'message', TEXT_LENGTH_MAX),
      }));
    case 'hostLost':
      return { kind: 'host-lost' };
    case 'unreachable':
      return { kind: 'unreachable' };
    case 'unwatched':
      return { kind: 'unwatched' };
    case 'replaced':
      return required(wire.replaced, 'replaced', (m) => ({ kind: 'replaced', by: text(m.by, 'by') }));
    default:
      throw invalid('kind', 'missing or not known to this version');
  }
}

export const verdict = (wire: spillway.v1.Verdict): Verdict => ({
  workerId: asWorkerId(text(wire.workerId, 'worker_id')),
  workerName: text(wire.workerName, 'worker_name'),
  cause: required(wire.cause, 'cause', deathCause),
  summary: words(wire.summary, 'summary', TEXT_LENGTH_MAX),
  pid: wire.pid === null || wire.pid === undefined ? undefined : count(wire.pid, 'pid'),
  livedMs: durationMs(wire.lifetime, 'lifetime'),
  stderrTail: words(wire.stderrTail, 'stderr_tail', TEXT_LENGTH_MAX),
  samples: each(wire.samples, 'samples', memorySample),
  limitBytes: countOrNone(wire.limitBytes, 'limit_bytes'),
  terminateBytes: countOrNone(wire.terminateBytes, 'terminate_bytes'),
  nextStep: words(wire.nextStep, 'next_step', TEXT_LENGTH_MAX),
});

const memorySample = (wire: spillway.v1.MemorySample): MemorySample => ({
  beforeEndMs: durationMs(wire.beforeEnd, 'before_end'),
  processBytes: count(wire.processBytes, 'process_bytes'),
});

const countOrNone = (wire: number | null | undefined, field: string): number | false =>
  wire === null || wire === undefined ? false : count(wire, field);

export function nannyMessage(wire: spillway.v1.NannyMessage): NannyToScheduler {
  const stimulusId = stimulus(wire.stimulusId);
  switch (wire.body) {
    case 'workerSpawned':
      return required(wire.workerSpawned, 'worker_spawned', (m) => ({
        type: 'worker-spawned',
        stimulusId,
        workerId: asWorkerId(text(m.workerId, 'worker_id')),
        name: text(m.name, 'name'),
        pid: count(m.pid, 'pid'),
      }));
    case 'workerExited':
      return required(wire.workerExited, 'worker_exited', (m) => ({
        type: 'worker-exited',
        stimulusId,
        verdict: required(m.verdict, 'verdict', verdict),
        restartInMs:
          m.restartDelay === null || m.restartDelay === undefined
            ? false
            : durationMs(m.restartDelay, 'restart_delay'),
        leavesValues: m.leavesValues,
      }));
    case 'workerQuarantined':
      return required(wire.workerQuarantined, 'worker_quarantined', (m) => ({
        type: 'worker-quarantined',
        stimulusId,
        quarantine: quarantine(m),
      }));
    case 'workerReleased':
      return required(wire.workerReleased, 'worker_released', (m) => ({
        type: 'worker-released',
        stimulusId,
        workerName: text(m.workerName, 'worker_name'),
        reason: words(m.reason, 'reason', TEXT_LENGTH_MAX),
      }));
    case 'heartbeat':
      return { type: 'heartbeat', stimulusId };
    case 'nannyClosing':
      return { type: 'nanny-closing', stimulusId };
    default:
      throw invalid('body', 'missing or not known to this version');
  }
}

export function schedulerToNanny(wire: spillway.v1.SchedulerToNannyMessage): SchedulerToNanny {
  const stimulusId = stimulus(wire.stimulusId);
  switch (wire.body) {
    case 'restartWorker':
      return required(wire.restartWorker, 'restart_worker', (m) => ({
        type: 'restart-worker',
        stimulusId,
        workerId: asWorkerId(text(m.workerId, 'worker_id')),
        reason: words(m.reason, 'reason', TEXT_LENGTH_MAX),
      }));
    case 'closeNanny':
      return required(wire.closeNanny, 'close_nanny', (m) => ({
        type: 'close-nanny',
        stimulusId,
        reason: words(m.reason, 'reason', TEXT_LENGTH_MAX),
      }));
    default:
      throw invalid('body', 'missing or not known to this version');
  }
}
