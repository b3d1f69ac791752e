/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
/** What a worker says to the scheduler, as it is written. */
import { assertNever } from '@spillway/kernel';
import type { WorkerHello, WorkerMetrics, WorkerToScheduler } from '@spillway/messages';
import type { spillway } from '@spillway/proto';
import { memoryReadingsToWire } from './memory.js';
import { durationFromMs, WORKER_STATUS_TO_WIRE, texts } from './scalars.js';
import { holdingToWire, payloadToWire, remoteErrorToWire, runOutcomeToWire } from './values.js';

export const workerHelloToWire = (hello: WorkerHello): spillway.v1.WorkerHello => ({
  workerId: hello.workerId,
  name: hello.name,
  nannyId: hello.nannyId ?? null,
  address: hello.address,
  nthreads: hello.nthreads,
  memoryLimitBytes: hello.memoryLimitBytes === false ? null : hello.memoryLimitBytes,
  memoryLimitEnforced: hello.isLimitEnforced,
  terminateFraction: hello.terminateFraction ?? null,
  pid: hello.pid,
  protocol: hello.protocol,
  softwareVersion: hello.softwareVersion,
  holdings: hello.holdings.map(holdingToWire),
  continuedRuns: (hello.executing ?? []).map(({ key, runId }) => ({ key, runId })),
});

export function workerMessageToWire(message: WorkerToScheduler): spillway.v1.WorkerMessage {
  const { stimulusId } = message;
  switch (message.type) {
    case 'task-finished': {
      const { key, runId, nbytes, durationMs, inline } = message;
      return {
        stimulusId,
        taskFinished: {
          key,
          runId,
          nbytes,
          duration: durationFromMs(durationMs),
          inline: inline === undefined ? null : payloadToWire(inline),
        },
      };
    }
    case 'task-erred': {
      const { key, runId, error, mayRetry } = message;
      return { stimulusId, taskErred: { key, runId, error: remoteErrorToWire(error), mayRetry } };
    }
    case 'task-handed-back':
      return {
        stimulusId,
        taskHandedBack: { key: message.key, runId: message.runId, reason: message.reason },
      };
    case 'replicas-added':
      return { stimulusId, replicasAdded: { replicas: message.replicas.map(holdingToWire) } };
    case 'replica-missing':
      return { stimulusId, replicaMissing: { key: message.key, holderId: message.holderId } };
    case 'replicas-lost':
      return { stimulusId, replicasLost: { keys: texts(message.keys) } };
    case 'request-who-has':
      return { stimulusId, requestWhoHas: { keys: texts(message.keys) } };
    case 'worker-status-change':
      return { stimulusId, workerStatusChange: { status: WORKER_STATUS_TO_WIRE[message.status] } };
    case 'heartbeat':
      return { stimulusId, heartbeat: metricsToWire(message.metrics) };
    case 'request-retirement': {
      const { reason, deadlineMs, mayLeave, leavesAll = false } = message;
      const deadline = durationFromMs(deadlineMs);
      return { stimulusId, requestRetirement: { reason, deadline, mayLeave, leavesAll } };
    }
    case 'run-done':
      return {
        stimulusId,
        runDone: { requestId: message.requestId, outcome: runOutcomeToWire(message.outcome) },
      };
    case 'worker-closing':
      return {
        stimulusId,
        workerClosing: { reason: message.reason, leavesValues: message.leavesValues },
      };
    default:
      return assertNever(message, 'worker message');
  }
}

const metricsToWire = (metrics: WorkerMetrics): spillway.v1.WorkerHeartbeat => ({
  ...memoryReadingsToWire(metrics.memory),
  underPressure: metrics.isUnderPressure,
  memoryLimitBytes: metrics.memoryLimitBytes ?? null,
  cpuFraction: metrics.cpuFraction,
  loopDelay: durationFromMs(metrics.loopDelayMs),
  executing: metrics.executing.map(({ key, runId, forMs, peakBytes }) => ({
    key,
    runId,
    elapsed: durationFromMs(forMs),
    peakBytes: peakBytes ?? null,
  })),
});
