/** Records of a few tasks, clients and workers, so that many of them are about the same. */
import fc from 'fast-check';
import {
  asClientId,
  asModuleHash,
  asSubmissionId,
  asTaskKey,
  asWorkerId,
  type TaskKey,
} from '@spillway/kernel';
import type { JournalRecord, TaskSpec, Verdict } from '@spillway/messages';

export const aSpec = (key: string, dependencies: readonly string[] = []): TaskSpec => ({
  key: asTaskKey(key),
  function: { kind: 'preinstalled', module: 'm', exportName: 'f' },
  args: { encoding: 'json', data: Uint8Array.of(91, 93) },
  dependencies: dependencies.map(asTaskKey),
  priority: 0,
  retries: 2,
  workers: [],
  allowOtherWorkers: false,
  timeoutMs: false,
  recompute: true,
  resultEncoding: 'json',
});

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e').map(asTaskKey);
const keys = fc.uniqueArray(key, { minLength: 1, maxLength: 4 }) as fc.Arbitrary<readonly TaskKey[]>;
const clientId = fc.constantFrom('c1', 'c2').map(asClientId);
const workerId = fc.constantFrom('w1', 'w2').map(asWorkerId);
const moduleHash = fc.constantFrom('0'.repeat(64), '1'.repeat(64)).map(asModuleHash);
const number = fc.nat({ max: 1000 });

const verdict: fc.Arbitrary<Verdict> = fc.record({
  workerId,
  workerName: fc.constant('n1'),
  cause: fc.constantFrom({ kind: 'host-lost' as const }, { kind: 'signal' as const, signal: 'SIGKILL' }),
  summary: fc.string(),
  pid: fc.constantFrom(undefined, 7),
  livedMs: number,
  stderrTail: fc.string(),
  samples: fc.constantFrom([], [{ beforeEndMs: 5, processBytes: 1000 }]),
  limitBytes: fc.constantFrom(false as const, 1000),
  terminateBytes: fc.constantFrom(false as const, 950),
  nextStep: fc.string(),
});

export const journalRecord: fc.Arbitrary<JournalRecord> = fc.oneof(
  fc.record({ type: fc.constant('scheduler-started' as const), life: number, lastSubmission: number }),
  fc.record({
    type: fc.constant('module-stored' as const),
    moduleHash,
    bundle: fc.uint8Array({ maxLength: 20 }),
  }),
  fc.record({ type: fc.constant('module-dropped' as const), moduleHash }),
  fc.record({ type: fc.constantFrom('client-came' as const, 'client-gone' as const), clientId }),
  fc.record({
    type: fc.constant('tasks-made' as const),
    submission: number,
    tasks: keys.map((list) => list.map((each, order) => ({ spec: aSpec(each), order }))),
  }),
  fc.record({ type: fc.constant('data-made' as const), submission: number, key }),
  fc.record({
    type: fc.constant('graph-accepted' as const),
    clientId,
    submissionId: fc.constantFrom('g1', 'g2').map(asSubmissionId),
  }),
  fc.record({ type: fc.constantFrom('keys-wanted' as const, 'keys-unwanted' as const), clientId, keys }),
  fc.record({
    type: fc.constant('task-finished' as const),
    key,
    nbytes: number,
    workers: fc.constantFrom(['n1'], ['n1', 'n2']),
  }),
  fc.record({
    type: fc.constant('task-erred' as const),
    key,
    error: fc.record({ code: fc.constant('TASK_FAILED'), message: fc.string(), details: fc.constant({}) }),
  }),
  fc.record({ type: fc.constant('task-reset' as const), key }),
  fc.record({
    type: fc.constant('task-history' as const),
    key,
    attempt: number,
    retriesLeft: number,
    mayHaveRun: fc.boolean(),
    deaths: fc.array(fc.record({ workerId, workerName: fc.constant('n1'), verdict }), {
      maxLength: 2,
    }),
  }),
  fc.record({ type: fc.constant('keys-forgotten' as const), keys }),
  fc.record({ type: fc.constant('worker-came' as const), workerId, name: fc.constant('n1') }),
  fc.record({ type: fc.constant('worker-gone' as const), workerId }),
);
