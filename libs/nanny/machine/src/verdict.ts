import type { DeathCause, Verdict } from '@spillway/messages';
import type { NannyEvent } from './events.js';
import { lifeOf, type Slot } from './slot.js';

type Exited = Extract<NannyEvent, { type: 'worker-exited' }>;

// V8 says this on stderr before it aborts for want of heap; there is no other sign than exit code 134 (or SIGABRT),
// which other native aborts share (users-pains.md section 24, item 7).
const V8_HEAP_WORDS = /FATAL ERROR:.*(heap|memory)/i;
const EXIT_CODE_OF_ABORT = 134;

/** Why the process ended (architecture.md D10). */
export function verdictOf(slot: Slot, exited: Exited, nowMs: number): Verdict {
  const life = lifeOf(slot);
  const livedMs = life === undefined ? 0 : Math.round(nowMs - life.startedAtMs);
  const cause = causeOf(slot, exited);
  return {
    workerId: exited.workerId,
    workerName: slot.workerName,
    cause,
    summary: `Worker ${slot.workerName} ${describe(cause)} after ${livedMs} ms.`,
    pid: life?.pid,
    livedMs,
    stderrTail: exited.stderrTail,
  };
}

function causeOf(slot: Slot, exited: Exited): DeathCause {
  if (exited.startError !== undefined) return { kind: 'start-failed', message: exited.startError };
  const reason = lifeOf(slot)?.recyclingBecause;
  if (reason !== undefined) return { kind: 'recycled', reason };
  if (slot.state.name === 'closing') return { kind: 'closed' };
  if (slot.state.name === 'killing') {
    const { isStartFailure, reason: why } = slot.state;
    return isStartFailure ? { kind: 'start-failed', message: why } : { kind: 'recycled', reason: why };
  }
  const aborted = exited.code === EXIT_CODE_OF_ABORT || exited.signal === 'SIGABRT';
  if (aborted && V8_HEAP_WORDS.test(exited.stderrTail)) return { kind: 'heap-exhausted' };
  if (exited.signal !== null) return { kind: 'signal', signal: exited.signal };
  if (exited.code === 0) return { kind: 'closed' };
  return { kind: 'exit-code', code: exited.code ?? -1 };
}

function describe(cause: DeathCause): string {
  switch (cause.kind) {
    case 'closed':
      return 'closed in order';
    case 'exit-code':
      return `ended with exit code ${cause.code}`;
    case 'signal':
      return `was ended by ${cause.signal} from outside`;
    case 'heap-exhausted':
      return 'ran out of V8 heap and aborted';
    case 'memory-limit':
      return `was ended at ${cause.processBytes} bytes of process memory (limit ${cause.limitBytes})`;
    case 'recycled':
      return `was replaced (${cause.reason})`;
    case 'start-failed':
      return `could not be started (${cause.message})`;
    case 'host-lost':
      return 'was lost with its host';
  }
}
