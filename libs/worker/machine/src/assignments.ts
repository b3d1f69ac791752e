/**
 * What the scheduler assigns and takes back: `compute-task`, `cancel-task`, `free-keys`. Every run that begins here ends in
 * one answer (`answers.ts`) or because the scheduler said so, in one of these events.
 */
import { answerFinished, handBack } from './answers.js';
import type { MachineContext } from './context.js';
import type { WorkerEvent } from './events.js';
import { attachInputs } from './inputs.js';
import { release } from './release.js';
import { RELEASED, runIdOf, runOf, type ComputeTask, type Run, type WorkerTask } from './task.js';

type Message<Type extends WorkerEvent['type']> = Extract<WorkerEvent, { type: Type }>;

export function onComputeTask(context: MachineContext, message: ComputeTask): void {
  const task = context.tasks.obtain(message.spec.key);
  const run: Run = { task, message, order: context.nextRunOrder++ };
  const { state } = task;
  switch (state.name) {
    case 'memory':
      answerFinished(context, run, { nbytes: state.nbytes, durationMs: 0 });
      return;
    case 'waiting':
    case 'ready':
    case 'executing': {
      const current = runOf(task);
      if (current !== undefined && runIdOf(current) === message.runId) return;
      // Superseded: not answered, and its late outcome will find nobody.
      context.move(task, RELEASED);
      break;
    }
    case 'fetch':
    case 'flight':
    case 'erred':
      context.move(task, RELEASED);
      break;
    case 'released':
      break;
  }
  enqueue(context, run, { isHolderListFresh: true });
  if (context.isRecycling) handBack(context, task, run, 'The worker is about to be replaced');
}

/** A run starts here, or again: waits for its inputs, or for a slot. Requires: nothing is under way for the task. */
export function enqueue(context: MachineContext, run: Run, options: { isHolderListFresh: boolean }): void {
  const missingCount = attachInputs(context, run, options);
  context.move(run.task, missingCount > 0 ? { name: 'waiting', run, missingCount } : { name: 'ready', run });
}

export function onCancelTask(context: MachineContext, message: Message<'cancel-task'>): void {
  const task = context.tasks.get(message.key);
  const run = task === undefined ? undefined : runOf(task);
  if (task === undefined || run === undefined || runIdOf(run) !== message.runId) return;
  release(context, task);
}

/** Results are dropped, tasks forgotten, fetches given up; what executes is told to stop and forgotten when it has. */
export function onFreeKeys(context: MachineContext, message: Message<'free-keys'>): void {
  for (const key of message.keys) {
    const task = context.tasks.get(key);
    if (task !== undefined) release(context, task);
  }
}

/** A value came by another way than the run that was to make it: the run is answered, and stopped if it was started. */
export function onDataPut(context: MachineContext, event: Message<'data-put'>): void {
  const task = context.tasks.obtain(event.key);
  if (task.state.name === 'memory') return;
  finishOtherwise(context, task, event.nbytes);
  context.move(task, { name: 'memory', nbytes: event.nbytes });
  context.puts.add(task.key, context.nowMs);
}

/** Nothing is known here of their keys, and the session that begins tells of them. */
export function onValuesAdopted(context: MachineContext, event: Message<'values-adopted'>): void {
  for (const { key, nbytes } of event.values)
    context.move(context.tasks.obtain(key), { name: 'memory', nbytes });
}

/** The scheduler has them made again; whoever waits for them here waits for another copy. */
export function onValuesLost(context: MachineContext, event: Message<'values-lost'>): void {
  const lost = event.keys
    .map((key) => context.tasks.get(key))
    .filter((task) => task?.state.name === 'memory') as WorkerTask[];
  if (lost.length === 0) return;
  context.send({
    type: 'replicas-lost',
    stimulusId: context.stimulusId,
    keys: lost.map((task) => task.key),
  });
  for (const task of lost) release(context, task);
}

function finishOtherwise(context: MachineContext, task: WorkerTask, nbytes: number): void {
  const { name } = task.state;
  if (name === 'fetch' || name === 'flight' || name === 'released') return;
  const run = runOf(task);
  if (run !== undefined) answerFinished(context, run, { nbytes, durationMs: 0 });
  context.move(task, RELEASED);
}
