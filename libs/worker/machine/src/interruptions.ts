/** What stops the worker's work as a whole: pausing, retiring, a slot that cannot be freed, a lost session. */
import { answerErred, handBack, outOfMemoryError, timeoutError } from './answers.js';
import type { MachineContext } from './context.js';
import type { WorkerOutcome } from './events.js';
import { release } from './release.js';
import { runOf, type Attempt } from './task.js';

type Outcome<Type extends WorkerOutcome['type']> = Extract<WorkerOutcome, { type: Type }>;

export function onStatusChange(context: MachineContext, event: Outcome<'status-change'>): void {
  // Who retires does not come back, whatever becomes of its memory.
  if (event.status === context.status || context.status === 'retiring') return;
  context.status = event.status;
  context.isHandingBack = false;
  sendStatus(context);
}

/** The scheduler wants it to leave; it knows, and says when to close. */
export function onRetireWorker(context: MachineContext): void {
  context.status = 'retiring';
  context.isHandingBack = false;
}

export function onSessionBegun(context: MachineContext): void {
  if (context.status !== 'running') sendStatus(context);
}

function sendStatus(context: MachineContext): void {
  const { stimulusId, status } = context;
  context.send({ type: 'worker-status-change', stimulusId, status });
}

export function onSetAdmission(context: MachineContext, event: Outcome<'set-admission'>): void {
  context.admission = event.admission;
}

export function onSetRoom(context: MachineContext, event: Outcome<'set-room'>): void {
  context.roomBytes = event.roomBytes;
}

/** Of a worker that runs again by now nothing goes back. */
export function onHandBackUnstarted(context: MachineContext): void {
  context.isHandingBack = context.status === 'paused';
}

/** What waits here for a worker that will not start it goes back: of a retiring one at once. */
export function returnUnstarted(context: MachineContext): void {
  if (context.status !== 'retiring' && !context.isHandingBack) return;
  const reason = context.status === 'retiring' ? 'The worker retires' : 'The worker is paused';
  for (const name of ['ready', 'waiting'] as const) {
    for (const task of [...context.tasks.in(name)]) {
      const run = runOf(task);
      if (run === undefined) continue;
      // With its inputs here it only waits for a slot.
      if (run.message.evenIfPaused === true && name === 'ready' && context.status === 'paused') continue;
      handBack(context, task, run, reason);
    }
  }
}

/** A native call holds a thread that was told to end: the process is replaced, and everybody else's work goes back. */
export function onSlotStuck(context: MachineContext, event: Outcome<'slot-stuck'>): void {
  if (context.isRecycling) return;
  const stuck = context.tasks.get(event.key);
  for (const name of ['executing', 'ready', 'waiting'] as const) {
    for (const task of [...context.tasks.in(name)]) {
      const run = runOf(task);
      if (run === undefined || (task === stuck && name === 'executing')) continue;
      handBack(context, task, run, `The worker is replaced: task ${event.key} does not let go of its thread`);
    }
  }
  if (stuck?.state.name === 'executing') answerStuck(context, stuck.state.attempt);
  context.isRecycling = true;
  context.instructions.push({
    type: 'recycle-worker',
    stimulusId: context.stimulusId,
    reason:
      `Task ${event.key} did not let go of its thread (slot ${event.slot}) for ${event.forMs} ms after it was told to ` +
      `stop: it is in a native call`,
  });
}

function answerStuck(context: MachineContext, attempt: Attempt): void {
  const { run, stopping } = attempt;
  const { task } = run;
  if (stopping?.reason === 'timeout') {
    answerErred(context, run, { error: timeoutError(attempt, context.nowMs), mayRetry: true });
  } else if (stopping?.reason === 'out-of-memory') {
    answerErred(context, run, { error: outOfMemoryError(attempt), mayRetry: false });
  } else {
    handBack(context, task, run, 'The worker is replaced');
    return;
  }
  release(context, task);
}

/**
 * Nobody waits for what has not begun. Values stay and what executes goes on: the next session begins by telling of them.
 */
export function onSessionLost(context: MachineContext): void {
  for (const name of ['waiting', 'ready', 'fetch', 'flight', 'erred'] as const) {
    for (const task of [...context.tasks.in(name)]) if (task.state.name === name) release(context, task);
  }
  context.peers.clear();
  context.puts.clear();
}
