/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
/** What a nanny and the scheduler say to each other, as it is written. */
import { assertNever } from '@spillway/kernel';
import type {
  DeathCause,
  NannyHello,
  NannyToScheduler,
  Quarantine,
  SchedulerToNanny,
  Verdict,
} from '@spillway/messages';
import type { spillway } from '@spillway/proto';
import { durationFromMs, wellFormed } from './scalars.js';

export const nannyHelloToWire = (hello: NannyHello): spillway.v1.NannyHello => ({
  nannyId: hello.nannyId,
  name: hello.name,
  address: hello.address,
  pid: hello.pid,
  protocol: hello.protocol,
  softwareVersion: hello.softwareVersion,
  quarantined: (hello.quarantined ?? []).map(quarantineToWire),
});

export function nannyMessageToWire(message: NannyToScheduler): spillway.v1.NannyMessage {
  const { stimulusId } = message;
  switch (message.type) {
    case 'worker-spawned': {
      const { workerId, name, pid } = message;
      return { stimulusId, workerSpawned: { workerId, name, pid } };
    }
    case 'worker-exited':
      return {
        stimulusId,
        workerExited: {
          verdict: verdictToWire(message.verdict),
          restartDelay: message.restartInMs === false ? null : durationFromMs(message.restartInMs),
          leavesValues: message.leavesValues,
        },
      };
    case 'worker-quarantined':
      return { stimulusId, workerQuarantined: quarantineToWire(message.quarantine) };
    case 'worker-released':
      return {
        stimulusId,
        workerReleased: { workerName: message.workerName, reason: wellFormed(message.reason) },
      };
    case 'heartbeat':
      return { stimulusId, heartbeat: {} };
    case 'nanny-closing':
      return { stimulusId, nannyClosing: {} };
    default:
      return assertNever(message, 'nanny message');
  }
}

const quarantineToWire = ({
  workerName,
  reason,
  forMs,
  releaseInMs,
}: Quarantine): spillway.v1.WorkerQuarantined => ({
  workerName,
  reason: wellFormed(reason),
  elapsed: durationFromMs(forMs),
  releaseDelay: releaseInMs === false ? null : durationFromMs(releaseInMs),
});

export const verdictToWire = (verdict: Verdict): spillway.v1.Verdict => ({
  workerId: verdict.workerId,
  workerName: verdict.workerName,
  cause: causeToWire(verdict.cause),
  summary: wellFormed(verdict.summary),
  pid: verdict.pid ?? null,
  lifetime: durationFromMs(verdict.livedMs),
  stderrTail: wellFormed(verdict.stderrTail),
  samples: verdict.samples.map(({ beforeEndMs, processBytes }) => ({
    beforeEnd: durationFromMs(beforeEndMs),
    processBytes,
  })),
  limitBytes: verdict.limitBytes === false ? null : verdict.limitBytes,
  terminateBytes: verdict.terminateBytes === false ? null : verdict.terminateBytes,
  nextStep: wellFormed(verdict.nextStep),
});

function causeToWire(cause: DeathCause): spillway.v1.DeathCause {
  switch (cause.kind) {
    case 'closed':
      return { closed: {} };
    case 'exit-code':
      return { exitCode: { code: cause.code } };
    case 'signal':
      return { signal: { signal: cause.signal } };
    case 'heap-exhausted':
      return { heapExhausted: {} };
    case 'memory-limit': {
      const { processBytes, limitBytes, terminateBytes } = cause;
      return { memoryLimit: { processBytes, limitBytes, terminateBytes } };
    }
    case 'hung':
      return { hung: { silence: durationFromMs(cause.silentMs), ttl: durationFromMs(cause.ttlMs) } };
    case 'kernel-oom':
      return { kernelOom: {} };
    case 'recycled':
      return { recycled: { reason: wellFormed(cause.reason) } };
    case 'start-failed':
      return { startFailed: { message: wellFormed(cause.message) } };
    case 'host-lost':
      return { hostLost: {} };
    case 'unreachable':
      return { unreachable: {} };
    case 'unwatched':
      return { unwatched: {} };
    case 'replaced':
      return { replaced: { by: cause.by } };
    default:
      return assertNever(cause, 'cause of a death');
  }
}

export function schedulerToNannyToWire(message: SchedulerToNanny): spillway.v1.SchedulerToNannyMessage {
  const { stimulusId } = message;
  switch (message.type) {
    case 'restart-worker':
      return { stimulusId, restartWorker: { workerId: message.workerId, reason: message.reason } };
    case 'close-nanny':
      return { stimulusId, closeNanny: { reason: message.reason } };
    default:
      return assertNever(message, 'message to a nanny');
  }
}
