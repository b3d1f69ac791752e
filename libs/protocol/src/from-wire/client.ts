/** What a client and the scheduler say to each other, as it arrived: validated and bounded. */
import { asClientId, asSubmissionId, asTaskKey, type WorkerId } from '@spillway/kernel';
import {
  type ClientHello,
  type ClientToScheduler,
  type Payload,
  type ScatteredData,
  type SchedulerToClient,
} from '@spillway/messages';
import type { spillway } from '@spillway/proto';
import { count, each, invalid, optional, required, text, texts, words } from './checks.js';
import { holder, keys, payload, protocolVersion, remoteError, taskSpec } from './values.js';

/** More than `INLINE_RESULT_BYTES_MAX`: what counts as small is the sender's choice, and its version may be another. */
const ACCEPTED_INLINE_BYTES_MAX = 8 * 1024;

export const inlineResult = (wire: spillway.v1.Payload): Payload => payload(wire, ACCEPTED_INLINE_BYTES_MAX);

export const clientHello = (wire: spillway.v1.ClientHello): ClientHello => ({
  clientId: asClientId(text(wire.clientId, 'client_id')),
  protocol: required(wire.protocol, 'protocol', protocolVersion),
  softwareVersion: words(wire.softwareVersion, 'software_version'),
  ...(wire.isBack ? { isBack: true } : {}),
});

const graphPart = (wire: spillway.v1.GraphPart): ClientToScheduler => ({
  type: 'graph-part',
  submissionId: asSubmissionId(text(wire.submissionId, 'submission_id')),
  partIndex: count(wire.partIndex, 'part_index'),
  tasks: each(wire.tasks, 'tasks', taskSpec),
  ...(wire.wants.length === 0 ? {} : { wants: keys(wire.wants, 'wants') }),
});

const graphCommit = (wire: spillway.v1.GraphCommit): ClientToScheduler => ({
  type: 'graph-commit',
  submissionId: asSubmissionId(text(wire.submissionId, 'submission_id')),
  partCount: count(wire.partCount, 'part_count'),
  wants: keys(wire.wants, 'wants'),
});

/** Also of the call that says the same without a stream. */
export const scatteredData = (
  wire: Pick<spillway.v1.DataScattered, 'key' | 'nbytes' | 'holders'>,
): ScatteredData => ({
  key: asTaskKey(text(wire.key, 'key')),
  nbytes: count(wire.nbytes, 'nbytes'),
  holders: texts(wire.holders, 'holders') as readonly WorkerId[],
});

const dataScattered = (wire: spillway.v1.DataScattered): ClientToScheduler => ({
  type: 'data-scattered',
  ...scatteredData(wire),
});

export function clientMessage(wire: spillway.v1.ClientMessage): ClientToScheduler {
  switch (wire.body) {
    case 'graphPart':
      return required(wire.graphPart, 'graph_part', graphPart);
    case 'graphCommit':
      return required(wire.graphCommit, 'graph_commit', graphCommit);
    case 'clientDesiresKeys':
      return required(wire.clientDesiresKeys, 'client_desires_keys', (m) => ({
        type: 'client-desires-keys',
        keys: keys(m.keys),
      }));
    case 'clientResumes':
      return required(wire.clientResumes, 'client_resumes', (m) => ({
        type: 'client-resumes',
        keys: keys(m.keys),
        isLast: m.isLast,
      }));
    case 'clientReleasesKeys':
      return required(wire.clientReleasesKeys, 'client_releases_keys', (m) => ({
        type: 'client-releases-keys',
        keys: keys(m.keys),
      }));
    case 'cancelKeys':
      return required(wire.cancelKeys, 'cancel_keys', (m) => ({
        type: 'cancel-keys',
        keys: keys(m.keys),
        force: m.force,
      }));
    case 'retryKeys':
      return required(wire.retryKeys, 'retry_keys', (m) => ({ type: 'retry-keys', keys: keys(m.keys) }));
    case 'dataScattered':
      return required(wire.dataScattered, 'data_scattered', dataScattered);
    case 'clientClosing':
      return { type: 'client-closing' };
    default:
      throw invalid('body', 'missing or not known to this version');
  }
}

function keyInMemory(wire: spillway.v1.KeyInMemory): SchedulerToClient {
  const inline = optional(wire.inline, 'inline', inlineResult);
  return {
    type: 'key-in-memory',
    key: asTaskKey(text(wire.key, 'key')),
    nbytes: count(wire.nbytes, 'nbytes'),
    holders: each(wire.holders, 'holders', holder),
    ...(inline === undefined ? {} : { inline }),
  };
}

const graphRefused = (wire: spillway.v1.GraphRefused): SchedulerToClient => ({
  type: 'graph-refused',
  submissionId: asSubmissionId(text(wire.submissionId, 'submission_id')),
  error: required(wire.error, 'error', remoteError),
});

const keyErred = (wire: spillway.v1.KeyErred): SchedulerToClient => ({
  type: 'key-erred',
  key: asTaskKey(text(wire.key, 'key')),
  error: required(wire.error, 'error', remoteError),
});

export function schedulerToClient(wire: spillway.v1.SchedulerToClientMessage): SchedulerToClient {
  switch (wire.body) {
    case 'graphAccepted':
      return required(wire.graphAccepted, 'graph_accepted', (m) => ({
        type: 'graph-accepted',
        submissionId: asSubmissionId(text(m.submissionId, 'submission_id')),
      }));
    case 'graphRefused':
      return required(wire.graphRefused, 'graph_refused', graphRefused);
    case 'keyInMemory':
      return required(wire.keyInMemory, 'key_in_memory', keyInMemory);
    case 'keyErred':
      return required(wire.keyErred, 'key_erred', keyErred);
    case 'keyLost':
      return required(wire.keyLost, 'key_lost', (m) => ({
        type: 'key-lost',
        key: asTaskKey(text(m.key, 'key')),
      }));
    case 'keyCancelled':
      return required(wire.keyCancelled, 'key_cancelled', (m) => ({
        type: 'key-cancelled',
        key: asTaskKey(text(m.key, 'key')),
        reason: words(m.reason, 'reason', 10_000),
      }));
    case 'keyRetried':
      return required(wire.keyRetried, 'key_retried', (m) => ({
        type: 'key-retried',
        key: asTaskKey(text(m.key, 'key')),
      }));
    default:
      throw invalid('body', 'missing or not known to this version');
  }
}
