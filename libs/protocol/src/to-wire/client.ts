/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
/** What a client and the scheduler say to each other, as it is written. */
import { assertNever } from '@spillway/kernel';
import type { ClientHello, ClientToScheduler, SchedulerToClient } from '@spillway/messages';
import type { spillway } from '@spillway/proto';
import { texts } from './scalars.js';
import { holderToWire, payloadToWire, remoteErrorToWire, taskToWire } from './values.js';

export const clientHelloToWire = (hello: ClientHello): spillway.v1.ClientHello => ({
  clientId: hello.clientId,
  protocol: hello.protocol,
  softwareVersion: hello.softwareVersion,
  isBack: hello.isBack === true,
});

export function clientMessageToWire(message: ClientToScheduler): spillway.v1.ClientMessage {
  switch (message.type) {
    case 'graph-part': {
      const { submissionId, partIndex, tasks, wants = [] } = message;
      return { graphPart: { submissionId, partIndex, tasks: tasks.map(taskToWire), wants: texts(wants) } };
    }
    case 'graph-commit': {
      const { submissionId, partCount, wants } = message;
      return { graphCommit: { submissionId, partCount, wants: texts(wants) } };
    }
    case 'client-desires-keys':
      return { clientDesiresKeys: { keys: texts(message.keys) } };
    case 'client-resumes':
      return { clientResumes: { keys: texts(message.keys), isLast: message.isLast } };
    case 'client-releases-keys':
      return { clientReleasesKeys: { keys: texts(message.keys) } };
    case 'cancel-keys':
      return { cancelKeys: { keys: texts(message.keys), force: message.force } };
    case 'retry-keys':
      return { retryKeys: { keys: texts(message.keys) } };
    case 'data-scattered': {
      const { key, nbytes, holders } = message;
      return { dataScattered: { key, nbytes, holders: texts(holders) } };
    }
    case 'client-closing':
      return { clientClosing: {} };
    default:
      return assertNever(message, 'client message');
  }
}

export function schedulerToClientToWire(message: SchedulerToClient): spillway.v1.SchedulerToClientMessage {
  switch (message.type) {
    case 'graph-accepted':
      return { graphAccepted: { submissionId: message.submissionId } };
    case 'graph-refused':
      return {
        graphRefused: { submissionId: message.submissionId, error: remoteErrorToWire(message.error) },
      };
    case 'key-in-memory':
      return {
        keyInMemory: {
          key: message.key,
          nbytes: message.nbytes,
          holders: message.holders.map(holderToWire),
          inline: message.inline === undefined ? null : payloadToWire(message.inline),
        },
      };
    case 'key-erred':
      return { keyErred: { key: message.key, error: remoteErrorToWire(message.error) } };
    case 'key-lost':
      return { keyLost: { key: message.key } };
    case 'key-cancelled':
      return { keyCancelled: { key: message.key, reason: message.reason } };
    case 'key-retried':
      return { keyRetried: { key: message.key } };
    default:
      return assertNever(message, 'message to a client');
  }
}
