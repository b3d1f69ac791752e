/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
/** Records of the scheduler's journal as bytes, and back. */
import {
  asClientId,
  asModuleHash,
  asSubmissionId,
  asTaskKey,
  asWorkerId,
  assertNever,
  type ClientId,
  type TaskKey,
} from '@spillway/kernel';
import {
  MODULE_BYTES_MAX,
  type JournaledDeath,
  type JournalRecord,
  type JournalRecordOf,
} from '@spillway/messages';
import { spillway } from '@spillway/proto';
import { decodeWire } from '../decoding.js';
import { bytes, count, each, hash, invalid, required, text, texts } from '../from-wire/checks.js';
import { verdict } from '../from-wire/nanny.js';
import { keys, remoteError, taskSpec } from '../from-wire/values.js';
import { verdictToWire } from '../to-wire/nanny.js';
import { texts as listed } from '../to-wire/scalars.js';
import { remoteErrorToWire, taskToWire } from '../to-wire/values.js';

const wire = spillway.v1;

/** What was written in one go. */
export function encodeJournalRecords(records: readonly JournalRecord[]): Uint8Array {
  return wire.JournalBatch.encode({ records: records.map(toWire) }).finish();
}

/** Throws `InvalidArgumentError` for bytes that no scheduler of this or an older version wrote. */
export function decodeJournalRecords(data: Uint8Array): JournalRecord[] {
  return each(decodeWire(wire.JournalBatch, data).records, 'records', fromWire);
}

function toWire(record: JournalRecord): spillway.v1.JournalRecord {
  switch (record.type) {
    case 'scheduler-started':
      return { schedulerStarted: { life: record.life, lastSubmission: record.lastSubmission } };
    case 'module-stored':
      return { moduleStored: { moduleHash: record.moduleHash, bundle: record.bundle } };
    case 'module-dropped':
      return { moduleDropped: record.moduleHash };
    case 'client-came':
      return { clientCame: record.clientId };
    case 'client-gone':
      return { clientGone: record.clientId };
    case 'tasks-made':
      return {
        tasksMade: {
          submission: record.submission,
          tasks: record.tasks.map(({ spec }) => taskToWire(spec)),
          orders: record.tasks.map(({ order }) => order),
        },
      };
    case 'data-made':
      return { dataMade: { submission: record.submission, key: record.key } };
    case 'graph-accepted':
      return { graphAccepted: { clientId: record.clientId, submissionId: record.submissionId } };
    case 'keys-wanted':
      return { keysWanted: { clientId: record.clientId, keys: listed(record.keys) } };
    case 'keys-unwanted':
      return { keysUnwanted: { clientId: record.clientId, keys: listed(record.keys) } };
    case 'task-finished':
      return {
        taskFinished: { key: record.key, nbytes: record.nbytes, workers: listed(record.workers) },
      };
    case 'task-erred':
      return { taskErred: { key: record.key, error: remoteErrorToWire(record.error) } };
    case 'task-reset':
      return { taskReset: record.key };
    case 'task-history': {
      const { key, attempt, retriesLeft, mayHaveRun, deaths } = record;
      return { taskHistory: { key, attempt, retriesLeft, mayHaveRun, deaths: deaths.map(deathToWire) } };
    }
    case 'keys-forgotten':
      return { keysForgotten: { keys: listed(record.keys) } };
    case 'worker-came':
      return { workerCame: { workerId: record.workerId, name: record.name } };
    case 'worker-gone':
      return { workerGone: record.workerId };
    default:
      return assertNever(record, 'journal record');
  }
}

const deathToWire = ({ workerId, workerName, verdict: why }: JournaledDeath): spillway.v1.JournaledDeath => ({
  workerId,
  workerName,
  verdict: verdictToWire(why),
});

function fromWire(record: spillway.v1.JournalRecord): JournalRecord {
  switch (record.body) {
    case 'schedulerStarted':
      return required(record.schedulerStarted, 'scheduler_started', started);
    case 'moduleStored':
      return required(record.moduleStored, 'module_stored', moduleStored);
    case 'moduleDropped':
      return { type: 'module-dropped', moduleHash: asModuleHash(hash(record.moduleDropped ?? '', 'hash')) };
    case 'clientCame':
      return { type: 'client-came', clientId: clientId(record.clientCame) };
    case 'clientGone':
      return { type: 'client-gone', clientId: clientId(record.clientGone) };
    case 'tasksMade':
      return required(record.tasksMade, 'tasks_made', tasksMade);
    case 'dataMade':
      return required(record.dataMade, 'data_made', dataMade);
    case 'graphAccepted':
      return required(record.graphAccepted, 'graph_accepted', graphAccepted);
    case 'keysWanted':
      return { type: 'keys-wanted', ...required(record.keysWanted, 'keys_wanted', wants) };
    case 'keysUnwanted':
      return { type: 'keys-unwanted', ...required(record.keysUnwanted, 'keys_unwanted', wants) };
    case 'taskFinished':
      return required(record.taskFinished, 'task_finished', taskFinished);
    case 'taskErred':
      return required(record.taskErred, 'task_erred', taskErred);
    case 'taskReset':
      return { type: 'task-reset', key: asTaskKey(text(record.taskReset ?? '', 'task_reset')) };
    case 'taskHistory':
      return required(record.taskHistory, 'task_history', history);
    case 'keysForgotten':
      return {
        type: 'keys-forgotten',
        keys: required(record.keysForgotten, 'keys_forgotten', (m) => keys(m.keys)),
      };
    case 'workerCame':
      return required(record.workerCame, 'worker_came', workerCame);
    case 'workerGone':
      return { type: 'worker-gone', workerId: asWorkerId(text(record.workerGone ?? '', 'worker_gone')) };
    default:
      throw invalid('body', 'missing or not known to this version');
  }
}

const clientId = (id: string | null | undefined): ClientId => asClientId(text(id ?? '', 'client_id'));

const started = (wireStart: spillway.v1.JournaledStart): JournalRecordOf<'scheduler-started'> => ({
  type: 'scheduler-started',
  life: count(wireStart.life, 'life'),
  lastSubmission: count(wireStart.lastSubmission, 'last_submission'),
});

const moduleStored = (module: spillway.v1.JournaledModule): JournalRecordOf<'module-stored'> => ({
  type: 'module-stored',
  moduleHash: asModuleHash(hash(module.moduleHash, 'module_hash')),
  bundle: bytes(module.bundle, 'bundle', MODULE_BYTES_MAX),
});

function tasksMade({ submission, tasks, orders }: spillway.v1.JournaledTasks): JournalRecordOf<'tasks-made'> {
  if (orders.length !== tasks.length) throw invalid('orders', 'not as many as there are tasks');
  return {
    type: 'tasks-made',
    submission: count(submission, 'submission'),
    tasks: each(tasks, 'tasks', taskSpec).map((spec, index) => ({
      spec,
      order: count(orders[index] ?? -1, 'orders'),
    })),
  };
}

const dataMade = ({ submission, key }: spillway.v1.JournaledData): JournalRecordOf<'data-made'> => ({
  type: 'data-made',
  submission: count(submission, 'submission'),
  key: asTaskKey(text(key, 'key')),
});

const graphAccepted = (graph: spillway.v1.JournaledGraph): JournalRecordOf<'graph-accepted'> => ({
  type: 'graph-accepted',
  clientId: clientId(graph.clientId),
  submissionId: asSubmissionId(text(graph.submissionId, 'submission_id')),
});

const taskFinished = (result: spillway.v1.JournaledResult): JournalRecordOf<'task-finished'> => ({
  type: 'task-finished',
  key: asTaskKey(text(result.key, 'key')),
  nbytes: count(result.nbytes, 'nbytes'),
  workers: texts(result.workers, 'workers'),
});

const taskErred = ({ key, error }: spillway.v1.JournaledError): JournalRecordOf<'task-erred'> => ({
  type: 'task-erred',
  key: asTaskKey(text(key, 'key')),
  error: required(error, 'error', remoteError),
});

const workerCame = ({ workerId, name }: spillway.v1.JournaledWorker): JournalRecordOf<'worker-came'> => ({
  type: 'worker-came',
  workerId: asWorkerId(text(workerId, 'worker_id')),
  name: text(name, 'name'),
});

const wants = (list: spillway.v1.JournaledWants): { clientId: ClientId; keys: readonly TaskKey[] } => ({
  clientId: clientId(list.clientId),
  keys: keys(list.keys),
});

const history = (past: spillway.v1.JournaledHistory): JournalRecordOf<'task-history'> => ({
  type: 'task-history',
  key: asTaskKey(text(past.key, 'key')),
  attempt: count(past.attempt, 'attempt'),
  retriesLeft: count(past.retriesLeft, 'retries_left'),
  mayHaveRun: past.mayHaveRun,
  deaths: each(past.deaths, 'deaths', death),
});

const death = (past: spillway.v1.JournaledDeath): JournaledDeath => ({
  workerId: asWorkerId(text(past.workerId, 'worker_id')),
  workerName: text(past.workerName, 'worker_name'),
  verdict: required(past.verdict, 'verdict', verdict),
});
