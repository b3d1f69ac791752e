/**
 * Values, errors, functions and tasks that arrived.
 *
 * Memory: decoded bytes are views into the batch they came in, and a view keeps the whole batch. Arguments of tasks
 * wait for long, so small ones (1 KiB and less) are copied into Node's pool, which the arguments of one batch fill one
 * behind the other: 130 bytes and the arguments themselves a task, where a buffer of its own costs twice as much, and
 * one that is kept for long pins 8 KiB and not a megabyte. Larger ones stay views: their batch is mostly made of such
 * bytes. Functions are shared, as most tasks of a graph have the same.
 */
import { asModuleHash, asTaskKey, asWorkerId, type TaskKey } from '@spillway/kernel';
import {
  ARGUMENTS_BYTES_MAX,
  DEPENDENCIES_MAX,
  DEPENDENCY_KEYS_BYTES_MAX,
  ERROR_TEXT_LENGTH_MAX,
  KEY_LENGTH_MAX,
  RETRIES_MAX,
  THROWN_VALUE_BYTES_MAX,
  CONTROL_MESSAGE_BYTES_MAX,
  type FunctionRef,
  type Holder,
  type Holding,
  type Payload,
  type RemoteError,
  type RunOutcome,
  type RunRequest,
  type TaskSpec,
} from '@spillway/messages';
import { spillway } from '@spillway/proto';
import { ERROR_CAUSES_MAX, ERROR_DETAILS_MAX } from '../to-wire/values.js';
import {
  address,
  bytes,
  count,
  durationMs,
  finite,
  hash,
  invalid,
  optional,
  required,
  text,
  texts,
  words,
} from './checks.js';
import { encoding } from './enums.js';

const { ENCODING_UNSPECIFIED } = spillway.v1.Encoding;

/** Bytes up to this are copied out of the batch when they are kept for long. */
const COPIED_BYTES_MAX = 1024;
/** So many keys are never over their bound together, however long: a UTF-16 code unit takes three bytes at most. */
const SMALL_DEPENDENCY_COUNT = Math.floor(DEPENDENCY_KEYS_BYTES_MAX / (3 * KEY_LENGTH_MAX));

export const payload = (wire: spillway.v1.Payload, bytesMax = CONTROL_MESSAGE_BYTES_MAX): Payload => ({
  encoding: encoding(wire.encoding, 'encoding'),
  data: bytes(wire.data, 'data', bytesMax),
});

/** A payload that is kept when the batch it came in is not. */
export function keptPayload(wire: spillway.v1.Payload): Payload {
  const { encoding: kind, data } = payload(wire, ARGUMENTS_BYTES_MAX);
  if (data.length > COPIED_BYTES_MAX) return { encoding: kind, data };
  return { encoding: kind, data: Buffer.from(data) };
}

const thrownPayload = (wire: spillway.v1.Payload): Payload => payload(wire, 2 * THROWN_VALUE_BYTES_MAX);

export const remoteError = (wire: spillway.v1.RemoteError): RemoteError => remoteErrorAt(wire, 1);

function remoteErrorAt(wire: spillway.v1.RemoteError, depth: number): RemoteError {
  const details = Object.entries(wire.details);
  if (details.length > ERROR_DETAILS_MAX) throw invalid('details', `more than ${ERROR_DETAILS_MAX}`);
  if (depth > ERROR_CAUSES_MAX) throw invalid('cause', `nested more than ${ERROR_CAUSES_MAX} deep`);
  const cause = optional(wire.cause, 'cause', (inner) => remoteErrorAt(inner, depth + 1));
  const thrown = optional(wire.thrown, 'thrown', thrownPayload);
  return {
    code: text(wire.code, 'code'),
    message: words(wire.message, 'message', ERROR_TEXT_LENGTH_MAX),
    ...(wire.stack === null || wire.stack === undefined
      ? {}
      : { stack: words(wire.stack, 'stack', ERROR_TEXT_LENGTH_MAX) }),
    details: Object.fromEntries(
      details.map(([name, value]) => [
        words(name, 'details'),
        words(value, 'details', ERROR_TEXT_LENGTH_MAX),
      ]),
    ),
    ...(cause === undefined ? {} : { cause }),
    ...(thrown === undefined ? {} : { thrown }),
  };
}

const FUNCTIONS_MAX = 1024;
const functions = new Map<string, FunctionRef>();

/** One object for all tasks that name the same function. When too many are known, it begins anew. */
function shared(ref: FunctionRef): FunctionRef {
  const module = ref.kind === 'bundle' ? ref.moduleHash : ref.module;
  const name = `${ref.kind}\0${module}\0${ref.exportName}`;
  const known = functions.get(name);
  if (known !== undefined) return known;
  if (functions.size >= FUNCTIONS_MAX) functions.clear();
  functions.set(name, ref);
  return ref;
}

/** Of the message before: in a batch, mostly the same again. */
let latest: FunctionRef | undefined;

export function functionRef(wire: spillway.v1.FunctionRef): FunctionRef {
  if (latest !== undefined && isSame(wire, latest)) return latest;
  latest = checkedFunctionRef(wire);
  return latest;
}

const isSame = ({ bundle }: spillway.v1.FunctionRef, known: FunctionRef): boolean =>
  known.kind === 'bundle' &&
  bundle?.exportName === known.exportName &&
  bundle.moduleHash === known.moduleHash;

function checkedFunctionRef(wire: spillway.v1.FunctionRef): FunctionRef {
  if (wire.bundle !== null && wire.bundle !== undefined) {
    const moduleHash = asModuleHash(hash(wire.bundle.moduleHash, 'bundle.module_hash'));
    return shared({
      kind: 'bundle',
      moduleHash,
      exportName: text(wire.bundle.exportName, 'bundle.export_name'),
    });
  }
  if (wire.preinstalled !== null && wire.preinstalled !== undefined) {
    const module = text(wire.preinstalled.module, 'preinstalled.module');
    return shared({
      kind: 'preinstalled',
      module,
      exportName: text(wire.preinstalled.exportName, 'preinstalled.export_name'),
    });
  }
  throw invalid('ref', 'missing or not known to this version');
}

export const keys = (list: readonly string[], field = 'keys'): readonly TaskKey[] =>
  texts(list, field) as readonly TaskKey[];

function dependencyKeys(list: readonly string[]): readonly TaskKey[] {
  if (list.length > DEPENDENCIES_MAX) throw invalid('dependencies', `more than ${DEPENDENCIES_MAX}`);
  // Almost all tasks have few, for which looking beats making a set.
  const isUnique =
    list.length <= 8
      ? list.every((key, index) => list.indexOf(key) === index)
      : new Set(list).size === list.length;
  if (!isUnique) throw invalid('dependencies', 'must be unique');
  if (list.length > SMALL_DEPENDENCY_COUNT) checkKeyBytes(list);
  return keys(list, 'dependencies');
}

function checkKeyBytes(list: readonly string[]): void {
  const keyBytes = list.reduce((sum, key) => sum + Buffer.byteLength(key), 0);
  if (keyBytes <= DEPENDENCY_KEYS_BYTES_MAX) return;
  throw invalid('dependencies', `keys of more than ${DEPENDENCY_KEYS_BYTES_MAX} bytes together`);
}

export function taskSpec(wire: spillway.v1.TaskSpec): TaskSpec {
  const args = required(wire.args, 'args', keptPayload);
  return {
    key: asTaskKey(text(wire.key, 'key')),
    function: required(wire.function, 'function', functionRef),
    args,
    dependencies: dependencyKeys(wire.dependencies),
    priority: finite(wire.priority, 'priority'),
    retries: count(wire.retries, 'retries', RETRIES_MAX),
    workers: texts(wire.workers, 'workers'),
    allowOtherWorkers: wire.allowOtherWorkers,
    timeoutMs: timeoutMs(wire.timeout),
    recompute: wire.recompute ?? true,
    resultEncoding:
      wire.resultEncoding === ENCODING_UNSPECIFIED
        ? args.encoding
        : encoding(wire.resultEncoding, 'result_encoding'),
  };
}

const timeoutMs = (wire: spillway.v1.TaskSpec['timeout']): number | false =>
  wire === null || wire === undefined ? false : durationMs(wire, 'timeout');

export const holder = (wire: spillway.v1.Holder): Holder => ({
  workerId: asWorkerId(text(wire.workerId, 'worker_id')),
  address: address(wire.address, 'address'),
});

export const holding = (wire: spillway.v1.Holding): Holding => ({
  key: asTaskKey(text(wire.key, 'key')),
  nbytes: count(wire.nbytes, 'nbytes'),
});

export const runRequest = (wire: spillway.v1.RunRequest): RunRequest => ({
  function: required(wire.function, 'function', functionRef),
  args: required(wire.args, 'args', payload),
  timeoutMs: timeoutMs(wire.timeout),
});

export function runOutcome(wire: spillway.v1.RunOutcome): RunOutcome {
  if (wire.error !== null && wire.error !== undefined) {
    return { type: 'run-failure', error: required(wire.error, 'error', remoteError) };
  }
  return { type: 'run-success', result: required(wire.result, 'result', payload) };
}

export const protocolVersion = (
  wire: spillway.v1.ProtocolVersion,
): { readonly major: number; readonly minor: number } => ({
  major: count(wire.major, 'major'),
  minor: count(wire.minor, 'minor'),
});
