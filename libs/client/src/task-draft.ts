/** A task between the call that submitted it and the graph that carries it. */
import { createHash } from 'node:crypto';
import { DependencyFailedError, type SpillwayError } from '@spillway/kernel';
import type { FunctionRef, TaskSpec } from '@spillway/messages';
import type { ArgumentEncoder, EncodedArguments } from './arguments.js';
import type { SubmissionTicket } from './future.js';
import type { KeyRecord } from './key-record.js';
import type { ResolvedTaskOptions } from './task-options.js';

/** Where a task's function comes from: `ready` resolves once the workers can find it. */
export interface CallableFunction {
  readonly name: string;
  readonly ref: FunctionRef;
  readonly ready: Promise<void> | undefined;
}

export interface TaskDraft {
  readonly record: KeyRecord;
  /**
   * For a key that an earlier call has submitted: what only the future of this call looks at. `undefined` when this
   * call made the record, whose state is then its own.
   */
  readonly ticket: SubmissionTicket | undefined;
  readonly callable: CallableFunction;
  readonly options: ResolvedTaskOptions;
  readonly args: readonly unknown[] | EncodedArguments;
  /** Number of the call; a future released after it is still its argument. */
  readonly submitCall: number;
}

export function isEncoded(args: TaskDraft['args']): args is EncodedArguments {
  return !Array.isArray(args);
}

export function encodedArguments(draft: TaskDraft, encoder: ArgumentEncoder): EncodedArguments {
  return isEncoded(draft.args) ? draft.args : encoder.encode(draft.args, draft.submitCall);
}

export function specOf(draft: TaskDraft, encoded: EncodedArguments): TaskSpec {
  const { options } = draft;
  return {
    key: draft.record.key,
    function: draft.callable.ref,
    args: encoded.payload,
    dependencies: encoded.dependencies.map((record) => record.key),
    priority: options.priority,
    retries: options.retries,
    workers: options.workers,
    allowOtherWorkers: options.allowOtherWorkers,
    timeoutMs: options.timeoutMs,
    recompute: options.recompute,
    resultEncoding: options.resultEncoding,
  };
}

/** A dependency that never reached the cluster fails what needs it; the cluster could only say that it is unknown. */
export function failureOfDependency({ dependencies }: EncodedArguments): SpillwayError | undefined {
  for (const { key, state, isUnsubmitted } of dependencies) {
    const isGone = state.name === 'cancelled' || (state.name === 'erred' && isUnsubmitted);
    if (!isGone) continue;
    const message = `The task was not submitted, since ${key}, which it needs, will never be there: ${state.error.message}`;
    return new DependencyFailedError(message, { cause: state.error, details: { dependency: key } });
  }
  return undefined;
}

/** A part of a graph on the wire, roughly: what the bound of parts is held against. */
export function wireBytesOf(spec: TaskSpec): number {
  const dependencyBytes = spec.dependencies.reduce((sum, key) => sum + Buffer.byteLength(key) + 4, 0);
  const workerBytes = spec.workers.reduce((sum, worker) => sum + Buffer.byteLength(worker) + 4, 0);
  const { function: ref } = spec;
  const functionBytes =
    Buffer.byteLength(ref.exportName) +
    (ref.kind === 'bundle' ? ref.moduleHash.length : Buffer.byteLength(ref.module));
  return (
    spec.args.data.byteLength +
    Buffer.byteLength(spec.key) +
    dependencyBytes +
    workerBytes +
    functionBytes +
    64
  );
}

/** Hash of what a pure call is: the same function, arguments and encoding give the same key everywhere. */
export function contentHash(ref: FunctionRef, args: EncodedArguments, options: ResolvedTaskOptions): string {
  const keys = args.dependencies.map((record) => record.key);
  const hash = createHash('sha256');
  hash.update(JSON.stringify([ref, args.payload.encoding, options.resultEncoding, keys]));
  return hash.update(args.payload.data).digest('hex').slice(0, 32);
}
