/**
 * Runs one task: finds its function, decodes inputs and arguments, calls it inside its context, encodes what it
 * returns. Synchronous as long as the function is, since an `await` costs as much as a trivial task. Never throws.
 */
import {
  InputMutatedError,
  ModuleNotLoadableError,
  SpillwayError,
  ValueNotDecodableError,
  ValueNotEncodableError,
} from '@spillway/kernel';
import { functionNameOf, type Payload, type RemoteError } from '@spillway/messages';
import { decodeValue, encodeValue } from '@spillway/values';
import { boundedText } from '../error-text.js';
import type { ThreadRun } from '../run-pack.js';
import type { TaskLog } from './console-capture.js';
import { currentTasks, TaskScope } from './context.js';
import type { DecodedCopies } from './decoded-copies.js';
import { InputGuard } from './input-guard.js';
import type { ModuleCache, UserFunction } from './module-cache.js';
import { describeThrown, thrownToRemoteError } from './thrown.js';

export type RunEnd =
  | { readonly type: 'success'; readonly result: Payload; readonly durationMs: number }
  | { readonly type: 'failure'; readonly error: RemoteError; readonly mayRetry: boolean };

export interface TaskRunnerOptions {
  readonly modules: ModuleCache;
  readonly log: TaskLog;
  readonly workerName: string;
  readonly validate: boolean;
  /** Copies kept for later tasks; `undefined` decodes each time. */
  readonly copies: DecodedCopies | undefined;
}

export class TaskRunner {
  readonly #options: TaskRunnerOptions;

  constructor(options: TaskRunnerOptions) {
    this.#options = options;
  }

  scopeFor(run: ThreadRun): TaskScope {
    const { workerName, log } = this.#options;
    return new TaskScope(run.key, run.attempt, workerName, (key) => log.loggerFor(key));
  }

  run(run: ThreadRun, scope: TaskScope): RunEnd | Promise<RunEnd> {
    try {
      const found = this.#options.modules.resolve(run.function);
      if (typeof found === 'function') return this.#call(run, scope, found);
      return found.then(
        (loaded) => this.#call(run, scope, loaded),
        (error: unknown) => ownFailure(run, error),
      );
    } catch (error) {
      return ownFailure(run, error);
    }
  }

  #call(run: ThreadRun, scope: TaskScope, call: UserFunction): RunEnd | Promise<RunEnd> {
    let args: unknown[];
    try {
      args = decodeArguments(run, this.#options.copies);
    } catch (error) {
      return ownFailure(run, error);
    }
    const guard = this.#options.validate ? new InputGuard(run.inputs) : undefined;
    const startedAtMs = performance.now();
    try {
      const returned = currentTasks.run(scope, () => call(...args));
      if (!isThenable(returned)) return this.#finish(run, returned, performance.now() - startedAtMs, guard);
      return Promise.resolve(returned).then(
        (value) => this.#finish(run, value, performance.now() - startedAtMs, guard),
        (thrown: unknown) => userFailure(run, thrown, guard),
      );
    } catch (thrown) {
      return userFailure(run, thrown, guard);
    }
  }

  #finish(run: ThreadRun, value: unknown, durationMs: number, guard: InputGuard | undefined): RunEnd {
    const end = finish(run, value, durationMs, guard);
    if (end.type === 'success') this.#options.copies?.keepResult(run.key, value, end.result);
    return end;
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

function decodeArguments(run: ThreadRun, copies: DecodedCopies | undefined): unknown[] {
  const dependencies =
    copies === undefined
      ? run.inputs.map((input) => decodeValue(input))
      : run.inputs.map((input, index) => copies.valueOf(run.inputKeys[index] ?? '', input));
  const args = decodeValue(run.args, { dependencies });
  if (Array.isArray(args)) return args;
  throw new ValueNotDecodableError(`The arguments of task ${run.key} are not an array but ${typeof args}`);
}

function finish(run: ThreadRun, value: unknown, durationMs: number, guard: InputGuard | undefined): RunEnd {
  const mutated = mutationFailure(run, guard);
  if (mutated !== undefined) return mutated;
  try {
    return {
      type: 'success',
      result: encodeValue(value, { encoding: run.resultEncoding, shared: true }),
      durationMs,
    };
  } catch (error) {
    const { summary } = describeThrown(error);
    const reason = error instanceof SpillwayError ? error.message : summary;
    const details = error instanceof SpillwayError ? error.details : {};
    return ownFailure(
      run,
      new ValueNotEncodableError(`The result of ${nameOf(run)} cannot travel: ${reason}`, { details }),
    );
  }
}

/** A write into an input explains more than what the function threw because of it, so it is told first. */
const userFailure = (run: ThreadRun, thrown: unknown, guard: InputGuard | undefined): RunEnd =>
  mutationFailure(run, guard) ?? {
    type: 'failure',
    error: thrownToRemoteError(thrown, `${nameOf(run)} failed`, detailsOf(run)),
    mayRetry: true,
  };

function mutationFailure(run: ThreadRun, guard: InputGuard | undefined): RunEnd | undefined {
  const indexes = guard?.changed() ?? [];
  if (indexes.length === 0) return undefined;
  const which = indexes.length === 1 ? `dependency ${indexes.join()}` : `dependencies ${indexes.join(', ')}`;
  return ownFailure(
    run,
    new InputMutatedError(
      `${nameOf(run)} wrote into its inputs (${which}, counted from 0). Inputs are shared with other tasks: copy before changing.`,
      { details: { dependencies: indexes.join(',') } },
    ),
  );
}

/** A failure that another attempt cannot mend. */
function ownFailure(run: ThreadRun, error: unknown): RunEnd {
  if (!(error instanceof SpillwayError)) {
    // Only decoding can throw something else: a codec of the user.
    const { summary } = describeThrown(error);
    return ownFailure(
      run,
      new ValueNotDecodableError(`The inputs of ${nameOf(run)} do not decode: ${summary}`),
    );
  }
  // Only the stack of a module that threw while loading leads to the user's code; the others lead here.
  const stack = error instanceof ModuleNotLoadableError ? error.stack : undefined;
  return {
    type: 'failure',
    error: {
      code: error.code,
      message: boundedText(error.message),
      ...(stack === undefined ? {} : { stack: boundedText(stack) }),
      details: { ...detailsOf(run), ...error.details },
    },
    mayRetry: false,
  };
}

const nameOf = (run: ThreadRun): string => `Task ${run.key} (${functionNameOf(run.function)})`;

const detailsOf = (run: ThreadRun): Record<string, string> => ({
  key: run.key,
  function: functionNameOf(run.function),
  attempt: String(run.attempt),
});
