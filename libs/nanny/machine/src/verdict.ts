/** Why a process ended (architecture.md D10). What people read about it is in the messages' `verdict-text.ts`. */
import { nextStepOf, summaryOf, type DeathCause, type Verdict } from '@spillway/messages';
import type { NannyEvent } from './events.js';
import { terminateBytesOf, type MemoryRule } from './memory-watch.js';
import { lifeOf, type Slot } from './slot.js';

type Exited = Extract<NannyEvent, { type: 'worker-exited' }>;

// V8 says this on stderr before it aborts for want of heap; there is no other sign than exit code 134 (or SIGABRT),
// which other native aborts share (users-pains.md section 24, item 7).
const V8_HEAP_WORDS = /FATAL ERROR:.*(heap|memory)/i;
const EXIT_CODE_OF_ABORT = 134;

/** Say more than what the worker had asked for before. */
const KILLS_OF_ITS_OWN: ReadonlySet<DeathCause['kind']> = new Set(['memory-limit', 'hung']);

export function verdictOf(slot: Slot, exited: Exited, rule: MemoryRule, nowMs: number): Verdict {
  const life = lifeOf(slot);
  const livedMs = life === undefined ? 0 : Math.round(nowMs - life.startedAtMs);
  const cause = causeOf(slot, exited);
  return {
    workerId: exited.workerId,
    workerName: slot.workerName,
    cause,
    summary: summaryOf(slot.workerName, cause, livedMs),
    pid: life?.pid,
    livedMs,
    stderrTail: exited.stderrTail,
    samples: life?.memory.samples(nowMs) ?? [],
    limitBytes: rule.limitBytes,
    terminateBytes: terminateBytesOf(rule),
    nextStep: nextStepOf(cause),
  };
}

function causeOf(slot: Slot, exited: Exited): DeathCause {
  if (exited.startError !== undefined) return { kind: 'start-failed', message: exited.startError };
  const byItself = lifeOf(slot)?.recyclingBecause;
  if (slot.state.name === 'killing' && KILLS_OF_ITS_OWN.has(slot.state.cause.kind)) return slot.state.cause;
  if (byItself !== undefined) return { kind: 'recycled', reason: byItself };
  if (slot.state.name === 'closing' || slot.state.name === 'retiring') return { kind: 'closed' };
  if (slot.state.name === 'killing') return slot.state.cause;
  const isAbort = exited.code === EXIT_CODE_OF_ABORT || exited.signal === 'SIGABRT';
  if (isAbort && V8_HEAP_WORDS.test(exited.stderrTail)) return { kind: 'heap-exhausted' };
  if (exited.signal === 'SIGKILL' && exited.didKernelRunOut) return { kind: 'kernel-oom' };
  if (exited.signal !== null) return { kind: 'signal', signal: exited.signal };
  if (exited.code === 0) return { kind: 'closed' };
  return { kind: 'exit-code', code: exited.code ?? -1 };
}
