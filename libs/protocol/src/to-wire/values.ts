/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
/** Values, errors, functions and tasks as they are written. */
import type { SpillwayError } from '@spillway/kernel';
import {
  ERROR_TEXT_LENGTH_MAX,
  toRemoteError,
  type FunctionRef,
  type Holder,
  type Holding,
  type Payload,
  type RemoteError,
  type RunOutcome,
  type RunRequest,
  type TaskSpec,
} from '@spillway/messages';
import type { spillway } from '@spillway/proto';
import { durationFromMs, ENCODING_TO_WIRE, texts, wellFormed } from './scalars.js';

type Wire = typeof spillway.v1;
type WireOf<Name extends keyof Wire> = Wire[Name] extends abstract new (...args: never[]) => infer T
  ? T
  : never;

/** Deepest chain of causes that is sent; what lies behind it is left out. */
export const ERROR_CAUSES_MAX = 16;
/** Most named facts that are sent with an error. */
export const ERROR_DETAILS_MAX = 64;

export const payloadToWire = ({ encoding, data }: Payload): WireOf<'Payload'> => ({
  encoding: ENCODING_TO_WIRE[encoding],
  data,
});

/** Long texts are cut here: an error must never be what makes a message too long to send. */
export function remoteErrorToWire(error: RemoteError, depth = 1): WireOf<'RemoteError'> {
  return {
    code: cut(error.code, 256),
    message: cut(error.message, ERROR_TEXT_LENGTH_MAX),
    stack: error.stack === undefined ? null : cut(error.stack, ERROR_TEXT_LENGTH_MAX),
    details: Object.fromEntries(
      Object.entries(error.details)
        .slice(0, ERROR_DETAILS_MAX)
        .map(([name, value]) => [cut(name, 256), cut(value, ERROR_TEXT_LENGTH_MAX)]),
    ),
    cause:
      error.cause === undefined || depth >= ERROR_CAUSES_MAX
        ? null
        : remoteErrorToWire(error.cause, depth + 1),
    thrown: error.thrown === undefined ? null : payloadToWire(error.thrown),
  };
}

export const errorToWire = (error: SpillwayError): WireOf<'RemoteError'> =>
  remoteErrorToWire(toRemoteError(error));

/** Users cut texts inside a surrogate pair too: what is left of one is replaced. */
function cut(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return wellFormed(text);
  const last = text.charCodeAt(lengthMax - 1);
  return wellFormed(text.slice(0, last >= 0xd800 && last <= 0xdbff ? lengthMax - 1 : lengthMax));
}

export const functionToWire = (ref: FunctionRef): WireOf<'FunctionRef'> =>
  ref.kind === 'bundle'
    ? { bundle: { moduleHash: ref.moduleHash, exportName: ref.exportName } }
    : { preinstalled: { module: ref.module, exportName: ref.exportName } };

export const taskToWire = (task: TaskSpec): WireOf<'TaskSpec'> => ({
  key: task.key,
  function: functionToWire(task.function),
  args: payloadToWire(task.args),
  dependencies: texts(task.dependencies),
  priority: task.priority,
  retries: task.retries,
  workers: texts(task.workers),
  allowOtherWorkers: task.allowOtherWorkers,
  timeout: task.timeoutMs === false ? null : durationFromMs(task.timeoutMs),
  recompute: task.recompute,
  resultEncoding: ENCODING_TO_WIRE[task.resultEncoding],
});

export const holderToWire = ({ workerId, address }: Holder): WireOf<'Holder'> => ({ workerId, address });
export const holdingToWire = ({ key, nbytes }: Holding): WireOf<'Holding'> => ({ key, nbytes });

export const runRequestToWire = (request: RunRequest): WireOf<'RunRequest'> => ({
  function: functionToWire(request.function),
  args: payloadToWire(request.args),
  timeout: request.timeoutMs === false ? null : durationFromMs(request.timeoutMs),
});

export const runOutcomeToWire = (outcome: RunOutcome): WireOf<'RunOutcome'> =>
  outcome.type === 'run-success'
    ? { result: payloadToWire(outcome.result) }
    : { error: remoteErrorToWire(outcome.error) };
