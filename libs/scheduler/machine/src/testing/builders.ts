/** Plain things to feed the machine with: tasks and workers with everything filled in that a test does not care about. */
import { asModuleHash, asNannyId, asTaskKey, asWorkerId, type RunId } from '@spillway/kernel';
import { PROTOCOL_VERSION, type TaskSpec, type Verdict, type WorkerHello } from '@spillway/messages';

export interface TaskDraft {
  readonly dependencies?: readonly string[];
  readonly functionName?: string;
  readonly moduleHash?: string;
  /** Told apart from other arguments by this number only. */
  readonly args?: number;
  readonly priority?: number;
  readonly retries?: number;
  readonly workers?: readonly string[];
  readonly allowOtherWorkers?: boolean;
  readonly recompute?: boolean;
}

export function aTask(key: string, draft: TaskDraft = {}): TaskSpec {
  return {
    key: asTaskKey(key),
    function: {
      kind: 'bundle',
      moduleHash: asModuleHash(draft.moduleHash ?? 'module'),
      exportName: draft.functionName ?? 'run',
    },
    args: { encoding: 'json', data: Uint8Array.of(draft.args ?? 0) },
    dependencies: (draft.dependencies ?? []).map(asTaskKey),
    priority: draft.priority ?? 0,
    retries: draft.retries ?? 0,
    workers: draft.workers ?? [],
    allowOtherWorkers: draft.allowOtherWorkers ?? false,
    timeoutMs: false,
    recompute: draft.recompute ?? true,
    resultEncoding: 'v8',
  };
}

export const aVerdict = (workerId: string, summary = 'killed'): Verdict => ({
  workerId: asWorkerId(workerId),
  workerName: workerId,
  cause: { kind: 'host-lost' },
  summary,
  pid: 1,
  livedMs: 1,
  stderrTail: '',
  samples: [],
  limitBytes: false,
  terminateBytes: false,
  nextStep: '',
});

export interface WorkerDraft {
  readonly name?: string;
  readonly nannyId?: string;
  readonly nthreads?: number;
  readonly memoryLimitBytes?: number | false;
  readonly isLimitEnforced?: boolean;
  readonly terminateFraction?: number;
  readonly holdings?: Readonly<Record<string, number>>;
  /** Runs it goes on with: ids by key. */
  readonly executing?: Readonly<Record<string, RunId>>;
}

export function aWorkerHello(id: string, draft: WorkerDraft = {}): WorkerHello {
  return {
    workerId: asWorkerId(id),
    name: draft.name ?? id,
    ...(draft.nannyId === undefined ? {} : { nannyId: asNannyId(draft.nannyId) }),
    address: `${id}:1`,
    nthreads: draft.nthreads ?? 1,
    memoryLimitBytes: draft.memoryLimitBytes ?? false,
    isLimitEnforced: draft.isLimitEnforced ?? true,
    ...(draft.terminateFraction === undefined ? {} : { terminateFraction: draft.terminateFraction }),
    pid: 1,
    protocol: PROTOCOL_VERSION,
    softwareVersion: '0.0.0',
    holdings: Object.entries(draft.holdings ?? {}).map(([key, nbytes]) => ({ key: asTaskKey(key), nbytes })),
    executing: Object.entries(draft.executing ?? {}).map(([key, runId]) => ({ key: asTaskKey(key), runId })),
  };
}
