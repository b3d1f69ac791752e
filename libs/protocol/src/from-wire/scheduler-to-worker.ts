/** What the scheduler says to a worker, as it arrived: validated and bounded. */
import { asModuleHash, asRunId, asTaskKey, asWorkerId } from '@spillway/kernel';
import {
  DEPENDENCIES_MAX,
  type Dependency,
  type Holder,
  type Priority,
  type SchedulerToWorker,
} from '@spillway/messages';
import type { spillway } from '@spillway/proto';
import { count, durationMs, each, finite, hash, invalid, required, text, words } from './checks.js';
import { keys, runRequest, taskSpec } from './values.js';
import { stimulus } from './worker.js';

type Body = SchedulerToWorker extends infer Message
  ? Message extends SchedulerToWorker
    ? Omit<Message, 'stimulusId'>
    : never
  : never;

type ToDependency = (wire: spillway.v1.Dependency) => Dependency;

/** Reads dependencies whose holders stand in the batch's own list. */
const dependencyOf =
  (holders: readonly Holder[]): ToDependency =>
  (wire) => ({
    key: asTaskKey(text(wire.key, 'key')),
    nbytes: count(wire.nbytes, 'nbytes'),
    whoHas: wire.holderIndexes.map((index) => {
      const found = holders[index];
      if (found === undefined) throw invalid('holder_indexes', `there is no holder ${index} in this batch`);
      return found;
    }),
  });

const priority = (wire: spillway.v1.Priority): Priority => [
  finite(wire.user, 'user'),
  finite(wire.submission, 'submission'),
  finite(wire.order, 'order'),
];

function computeTask(wire: spillway.v1.ComputeTask, toDependency: ToDependency): Body {
  if (wire.dependencies.length > DEPENDENCIES_MAX)
    throw invalid('dependencies', `more than ${DEPENDENCIES_MAX}`);
  const { expectedDuration } = wire;
  const expectedBytes = count(wire.expectedBytes, 'expected_bytes');
  return {
    type: 'compute-task',
    runId: asRunId(count(wire.runId, 'run_id')),
    priority: required(wire.priority, 'priority', priority),
    attempt: count(wire.attempt, 'attempt'),
    expectedMs:
      expectedDuration === null || expectedDuration === undefined
        ? undefined
        : durationMs(expectedDuration, 'expected_duration'),
    ...(expectedBytes === 0 ? {} : { expectedBytes }),
    ...(wire.evenIfPaused ? { evenIfPaused: true } : {}),
    spec: required(wire.spec, 'spec', taskSpec),
    dependencies: each(wire.dependencies, 'dependencies', toDependency),
  };
}

const cancelTask = (wire: spillway.v1.CancelTask): Body => ({
  type: 'cancel-task',
  key: asTaskKey(text(wire.key, 'key')),
  runId: asRunId(count(wire.runId, 'run_id')),
});

const runFunction = (wire: spillway.v1.RunFunction): Body => ({
  type: 'run-function',
  requestId: count(wire.requestId, 'request_id'),
  request: required(wire.request, 'request', runRequest),
});

function body(wire: spillway.v1.SchedulerToWorkerMessage, toDependency: ToDependency): Body {
  switch (wire.body) {
    case 'computeTask':
      return required(wire.computeTask, 'compute_task', (m) => computeTask(m, toDependency));
    case 'freeKeys':
      return required(wire.freeKeys, 'free_keys', (m) => ({ type: 'free-keys', keys: keys(m.keys) }));
    case 'cancelTask':
      return required(wire.cancelTask, 'cancel_task', cancelTask);
    case 'acquireReplicas':
      return required(wire.acquireReplicas, 'acquire_replicas', (m) => ({
        type: 'acquire-replicas',
        replicas: each(m.replicas, 'replicas', toDependency),
      }));
    case 'refreshWhoHas':
      return required(wire.refreshWhoHas, 'refresh_who_has', (m) => ({
        type: 'refresh-who-has',
        dependencies: each(m.dependencies, 'dependencies', toDependency),
      }));
    case 'peerLost':
      return required(wire.peerLost, 'peer_lost', (m) => ({
        type: 'peer-lost',
        workerId: asWorkerId(text(m.workerId, 'worker_id')),
      }));
    case 'runFunction':
      return required(wire.runFunction, 'run_function', runFunction);
    case 'unloadModules':
      return required(wire.unloadModules, 'unload_modules', (m) => ({
        type: 'unload-modules',
        moduleHashes: each(m.moduleHashes, 'module_hashes', (value) => asModuleHash(hash(value, 'hash'))),
      }));
    case 'closeWorker':
      return required(wire.closeWorker, 'close_worker', (m) => ({
        type: 'close-worker',
        reason: words(m.reason, 'reason', 10_000),
        ...(m.retired ? { retired: { leavesValues: m.leavesValues } } : {}),
      }));
    case 'retireWorker':
      return { type: 'retire-worker' };
    default:
      throw invalid('body', 'missing or not known to this version');
  }
}

/** A reader of the messages of one batch, whose holders are these. */
export function schedulerToWorkerOf(
  holders: readonly Holder[],
): (wire: spillway.v1.SchedulerToWorkerMessage) => SchedulerToWorker {
  const toDependency = dependencyOf(holders);
  return (wire) => Object.assign(body(wire, toDependency), { stimulusId: stimulus(wire.stimulusId) });
}
