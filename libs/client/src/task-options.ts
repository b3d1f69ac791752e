/** What a caller may say about a task beside its function and arguments, checked once. */
import { InvalidArgumentError } from '@spillway/kernel';
import { ENCODINGS, RETRIES_MAX, type Encoding, type TaskSpec } from '@spillway/messages';
import { toMs, type Duration } from './call-options.js';
import { isName, NAME_RULE } from './names.js';

export interface TaskOptions {
  /** Name of the result in the cluster. Default: the function's name and something unique. Not for `map`. */
  readonly key?: string | undefined;
  /**
   * The function gives the same result for the same arguments and has no side effects: the key is made of their
   * contents, so that the same call made again, here or by another client, is computed once while its result is held.
   * Arguments above 64 KiB travel apart and count as different each time: scatter them once and pass the future.
   */
  readonly pure?: boolean | undefined;
  /** Larger runs earlier. Default 0. */
  readonly priority?: number | undefined;
  /** How often it is run again after its function threw. Default 0. */
  readonly retries?: number | undefined;
  /** Names or ids of the workers it may run on. Default: any. */
  readonly workers?: readonly string[] | undefined;
  /** With `workers`: use others when none of them is there. Default false. */
  readonly allowOtherWorkers?: boolean | undefined;
  /** Longest run of one attempt; it is stopped then and errs with `TASK_TIMEOUT`. Default: no limit. */
  readonly timeout?: Duration | undefined;
  /** `false`: its side effects must not run twice, so losing the result is an error. Default true. */
  readonly recompute?: boolean | undefined;
  /** How the result is encoded. Default `v8`, which keeps everything that structured clone keeps. */
  readonly resultEncoding?: Encoding | undefined;
}

/** Everything of a `TaskSpec` that options decide. */
export type ResolvedTaskOptions = Pick<
  TaskSpec,
  'priority' | 'retries' | 'workers' | 'allowOtherWorkers' | 'timeoutMs' | 'recompute' | 'resultEncoding'
> & { readonly key: string | undefined; readonly pure: boolean };

/** Fills in defaults. Throws `InvalidArgumentError` that names the option. */
export function resolveTaskOptions(options: TaskOptions): ResolvedTaskOptions {
  const { key, priority = 0, retries = 0, workers = [], resultEncoding = 'v8' } = options;
  check(Number.isFinite(priority), 'priority', 'a finite number', priority);
  const isCount = Number.isSafeInteger(retries) && retries >= 0 && retries <= RETRIES_MAX;
  check(isCount, 'retries', `a whole number from 0 to ${RETRIES_MAX}`, retries);
  check(
    ENCODINGS.includes(resultEncoding),
    'resultEncoding',
    `one of ${ENCODINGS.join(', ')}`,
    resultEncoding,
  );
  check(key === undefined || isName(key), 'key', NAME_RULE, key);
  for (const worker of workers) check(isName(worker), 'workers', `names, each ${NAME_RULE}`, worker);
  check(key === undefined || options.pure !== true, 'pure', 'left out where a key is given', options.pure);
  return {
    key,
    pure: options.pure ?? false,
    priority,
    retries,
    workers: [...workers],
    allowOtherWorkers: options.allowOtherWorkers ?? false,
    timeoutMs: options.timeout === undefined ? false : toMs(options.timeout, 'timeout'),
    recompute: options.recompute ?? true,
    resultEncoding,
  };
}

function check(isRight: boolean, option: string, expected: string, got: unknown): void {
  if (isRight) return;
  throw new InvalidArgumentError(`The task option "${option}" has to be ${expected}, not ${String(got)}.`, {
    details: { option },
  });
}
