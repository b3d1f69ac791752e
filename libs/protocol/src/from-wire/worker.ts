/** What a worker says to the scheduler, as it arrived: validated and bounded. */
import {
  asNannyId,
  asRunId,
  asStimulusId,
  asTaskKey,
  asWorkerId,
  type RunId,
  type StimulusId,
  type TaskKey,
} from '@spillway/kernel';
import type { ExecutingTask, WorkerHello, WorkerToScheduler } from '@spillway/messages';
import type { spillway } from '@spillway/proto';
import {
  address,
  count,
  durationMs,
  each,
  finite,
  invalid,
  optional,
  required,
  text,
  words,
} from './checks.js';
import { inlineResult } from './client.js';
import { workerStatus } from './enums.js';
import { memoryReadings } from './memory.js';
import { holding, keys, protocolVersion, remoteError, runOutcome } from './values.js';

const REASON_LENGTH_MAX = 10_000;
const NTHREADS_MAX = 4096;

const continuedRun = (wire: spillway.v1.ContinuedRun): { key: TaskKey; runId: RunId } => ({
  key: asTaskKey(text(wire.key, 'key')),
  runId: asRunId(count(wire.runId, 'run_id')),
});

export function workerHello(wire: spillway.v1.WorkerHello): WorkerHello {
  const { memoryLimitBytes, nannyId } = wire;
  return {
    workerId: asWorkerId(text(wire.workerId, 'worker_id')),
    name: text(wire.name, 'name'),
    ...(nannyId === null || nannyId === undefined ? {} : { nannyId: asNannyId(text(nannyId, 'nanny_id')) }),
    address: address(wire.address, 'address'),
    nthreads: count(wire.nthreads, 'nthreads', NTHREADS_MAX),
    memoryLimitBytes:
      memoryLimitBytes === null || memoryLimitBytes === undefined
        ? false
        : count(memoryLimitBytes, 'memory_limit_bytes'),
    isLimitEnforced: wire.memoryLimitEnforced,
    ...(wire.terminateFraction === null || wire.terminateFraction === undefined
      ? {}
      : { terminateFraction: finite(wire.terminateFraction, 'terminate_fraction') }),
    pid: count(wire.pid, 'pid'),
    protocol: required(wire.protocol, 'protocol', protocolVersion),
    softwareVersion: words(wire.softwareVersion, 'software_version'),
    holdings: each(wire.holdings, 'holdings', holding),
    ...(wire.continuedRuns.length === 0
      ? {}
      : { executing: each(wire.continuedRuns, 'continued_runs', continuedRun) }),
  };
}

type Body = WorkerToScheduler extends infer Message
  ? Message extends WorkerToScheduler
    ? Omit<Message, 'stimulusId'>
    : never
  : never;

function taskFinished(wire: spillway.v1.TaskFinished): Body {
  const inline = optional(wire.inline, 'inline', inlineResult);
  return {
    type: 'task-finished',
    key: asTaskKey(text(wire.key, 'key')),
    runId: asRunId(count(wire.runId, 'run_id')),
    nbytes: count(wire.nbytes, 'nbytes'),
    durationMs: durationMs(wire.duration, 'duration'),
    ...(inline === undefined ? {} : { inline }),
  };
}

const taskErred = (wire: spillway.v1.TaskErred): Body => ({
  type: 'task-erred',
  key: asTaskKey(text(wire.key, 'key')),
  runId: asRunId(count(wire.runId, 'run_id')),
  error: required(wire.error, 'error', remoteError),
  mayRetry: wire.mayRetry,
});

const taskHandedBack = (wire: spillway.v1.TaskHandedBack): Body => ({
  type: 'task-handed-back',
  key: asTaskKey(text(wire.key, 'key')),
  runId: asRunId(count(wire.runId, 'run_id')),
  reason: words(wire.reason, 'reason', REASON_LENGTH_MAX),
});

const replicaMissing = (wire: spillway.v1.ReplicaMissing): Body => ({
  type: 'replica-missing',
  key: asTaskKey(text(wire.key, 'key')),
  holderId: asWorkerId(text(wire.holderId, 'holder_id')),
});

const executingTask = (wire: spillway.v1.ExecutingTask): ExecutingTask => ({
  key: asTaskKey(text(wire.key, 'key')),
  runId: asRunId(count(wire.runId, 'run_id')),
  forMs: durationMs(wire.elapsed, 'elapsed'),
  ...(wire.peakBytes === null || wire.peakBytes === undefined
    ? {}
    : { peakBytes: count(wire.peakBytes, 'peak_bytes') }),
});

const heartbeat = (wire: spillway.v1.WorkerHeartbeat): Body => ({
  type: 'heartbeat',
  metrics: {
    memory: memoryReadings(wire),
    isUnderPressure: wire.underPressure,
    ...(wire.memoryLimitBytes === null || wire.memoryLimitBytes === undefined
      ? {}
      : { memoryLimitBytes: count(wire.memoryLimitBytes, 'memory_limit_bytes') }),
    cpuFraction: finite(wire.cpuFraction, 'cpu_fraction'),
    loopDelayMs: durationMs(wire.loopDelay, 'loop_delay'),
    executing: each(wire.executing, 'executing', executingTask),
  },
});

const runDone = (wire: spillway.v1.RunDone): Body => ({
  type: 'run-done',
  requestId: count(wire.requestId, 'request_id'),
  outcome: required(wire.outcome, 'outcome', runOutcome),
});

function body(wire: spillway.v1.WorkerMessage): Body {
  switch (wire.body) {
    case 'taskFinished':
      return required(wire.taskFinished, 'task_finished', taskFinished);
    case 'taskErred':
      return required(wire.taskErred, 'task_erred', taskErred);
    case 'taskHandedBack':
      return required(wire.taskHandedBack, 'task_handed_back', taskHandedBack);
    case 'replicasAdded':
      return required(wire.replicasAdded, 'replicas_added', (m) => ({
        type: 'replicas-added',
        replicas: each(m.replicas, 'replicas', holding),
      }));
    case 'replicaMissing':
      return required(wire.replicaMissing, 'replica_missing', replicaMissing);
    case 'replicasLost':
      return required(wire.replicasLost, 'replicas_lost', (m) => ({
        type: 'replicas-lost',
        keys: keys(m.keys),
      }));
    case 'requestWhoHas':
      return required(wire.requestWhoHas, 'request_who_has', (m) => ({
        type: 'request-who-has',
        keys: keys(m.keys),
      }));
    case 'workerStatusChange':
      return required(wire.workerStatusChange, 'worker_status_change', (m) => ({
        type: 'worker-status-change',
        status: workerStatus(m.status, 'status'),
      }));
    case 'heartbeat':
      return required(wire.heartbeat, 'heartbeat', heartbeat);
    case 'requestRetirement':
      return required(wire.requestRetirement, 'request_retirement', (m) => ({
        type: 'request-retirement',
        reason: words(m.reason, 'reason', REASON_LENGTH_MAX),
        deadlineMs: durationMs(m.deadline, 'deadline'),
        mayLeave: m.mayLeave,
        ...(m.leavesAll ? { leavesAll: true } : {}),
      }));
    case 'runDone':
      return required(wire.runDone, 'run_done', runDone);
    case 'workerClosing':
      return required(wire.workerClosing, 'worker_closing', (m) => ({
        type: 'worker-closing',
        reason: words(m.reason, 'reason', REASON_LENGTH_MAX),
        leavesValues: m.leavesValues,
      }));
    default:
      throw invalid('body', 'missing or not known to this version');
  }
}

export const stimulus = (value: string): StimulusId => asStimulusId(text(value, 'stimulus_id'));

export const workerMessage = (wire: spillway.v1.WorkerMessage): WorkerToScheduler =>
  Object.assign(body(wire), { stimulusId: stimulus(wire.stimulusId) });
