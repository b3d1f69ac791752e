/** Any message that programs may say to each other, within the bounds. */
import fc from 'fast-check';
import {
  asClientId,
  asModuleHash,
  asNannyId,
  asRunId,
  asStimulusId,
  asSubmissionId,
  asTaskKey,
  asWorkerId,
} from '@spillway/kernel';
import {
  ENCODINGS,
  type ClientHello,
  type ClientToScheduler,
  type DeathCause,
  type Dependency,
  type FunctionRef,
  type Holder,
  type Holding,
  type MemoryReadings,
  type NannyHello,
  type NannyToScheduler,
  type Payload,
  type RemoteError,
  type RunOutcome,
  type RunRequest,
  type SchedulerToClient,
  type SchedulerToNanny,
  type SchedulerToWorker,
  type SpillFailureReason,
  type TaskSpec,
  type WorkerHello,
  type WorkerToScheduler,
} from '@spillway/messages';

/** Well-formed, as UTF-8 cannot carry half a surrogate pair. */
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const words = fc.string({ unit: 'grapheme', maxLength: 30 });
const count = fc.oneof(fc.nat(), fc.maxSafeNat());
const uint32 = fc.nat({ max: 2 ** 31 - 1 });
/** To the microsecond, which Duration carries exactly. */
const ms = fc.oneof(
  fc.nat({ max: 1e9 }),
  fc.nat({ max: 1e6 }).map((micros) => micros / 1000),
);
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const address = fc.nat({ max: 65_534 }).map((port) => `10.0.0.7:${port + 1}`);
const key = name.map(asTaskKey);
const keys = fc.array(key, { maxLength: 5 });
const workerId = name.map(asWorkerId);
const stimulusId = name.map(asStimulusId);
const runId = count.map(asRunId);
const moduleHash = fc
  .string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: 64, maxLength: 64 })
  .map(asModuleHash);
const protocol = fc.record({ major: uint32, minor: uint32 });

const SPILL_REFUSALS: readonly SpillFailureReason[] = [
  'disk-full',
  'read-only',
  'no-access',
  'folder-lost',
  'limit-reached',
  'folder-is-memory',
  'io-error',
  'thread-ended',
  'closed',
];
const memoryReadings: fc.Arbitrary<MemoryReadings> = fc.record(
  {
    processBytes: count,
    managedBytes: count,
    unmanagedOldBytes: count,
    unmanagedRecentBytes: count,
    hoardedBytes: count,
    spilledBytes: count,
    processPeakBytes: count,
    spillWrittenBytes: count,
    spillReadBytes: count,
    spillRefusedBecause: fc.constantFrom(...SPILL_REFUSALS),
  },
  {
    requiredKeys: [
      'processBytes',
      'managedBytes',
      'unmanagedOldBytes',
      'unmanagedRecentBytes',
      'hoardedBytes',
      'spilledBytes',
      'processPeakBytes',
      'spillWrittenBytes',
      'spillReadBytes',
    ],
  },
);

const payload: fc.Arbitrary<Payload> = fc.record({
  encoding: fc.constantFrom(...ENCODINGS),
  data: fc.uint8Array({ maxLength: 2000 }),
});

const details = fc.dictionary(name, words, { maxKeys: 4 });

export const remoteError: fc.Arbitrary<RemoteError> = fc.letrec<{ error: RemoteError }>((tie) => ({
  error: fc.record(
    {
      code: name,
      message: words,
      stack: words,
      details,
      cause: fc.oneof({ maxDepth: 3 }, fc.constant({ code: 'X', message: '', details: {} }), tie('error')),
      thrown: payload,
    },
    { requiredKeys: ['code', 'message', 'details'] },
  ),
})).error;

const functionRef: fc.Arbitrary<FunctionRef> = fc.oneof(
  fc.record({ kind: fc.constant('bundle' as const), moduleHash, exportName: name }),
  fc.record({ kind: fc.constant('preinstalled' as const), module: name, exportName: name }),
);

const timeoutMs = fc.oneof(fc.constant(false as const), ms);

export const taskSpec: fc.Arbitrary<TaskSpec> = fc.record({
  key,
  function: functionRef,
  args: payload,
  dependencies: fc.uniqueArray(key, { maxLength: 20 }),
  priority: finite,
  retries: fc.nat({ max: 1000 }),
  workers: fc.array(name, { maxLength: 3 }),
  allowOtherWorkers: fc.boolean(),
  timeoutMs,
  recompute: fc.boolean(),
  resultEncoding: fc.constantFrom(...ENCODINGS),
});

const holder: fc.Arbitrary<Holder> = fc.record({ workerId, address });
const holding: fc.Arbitrary<Holding> = fc.record({ key, nbytes: count });
const dependency: fc.Arbitrary<Dependency> = fc.record({
  key,
  nbytes: count,
  whoHas: fc.array(holder, { maxLength: 4 }),
});
const runRequest: fc.Arbitrary<RunRequest> = fc.record({ function: functionRef, args: payload, timeoutMs });
const runOutcome: fc.Arbitrary<RunOutcome> = fc.oneof(
  fc.record({ type: fc.constant('run-success' as const), result: payload }),
  fc.record({ type: fc.constant('run-failure' as const), error: remoteError }),
);

const type = <Type extends string>(value: Type): fc.Arbitrary<Type> => fc.constant(value);

export const clientToScheduler: fc.Arbitrary<ClientToScheduler> = fc.oneof(
  fc.record({
    type: type('graph-part'),
    submissionId: name.map(asSubmissionId),
    partIndex: uint32,
    tasks: fc.array(taskSpec, { maxLength: 4 }),
  }),
  fc.record({
    type: type('graph-part'),
    submissionId: name.map(asSubmissionId),
    partIndex: uint32,
    tasks: fc.array(taskSpec, { maxLength: 1 }),
    wants: fc.array(key, { minLength: 1, maxLength: 5 }),
  }),
  fc.record({
    type: type('graph-commit'),
    submissionId: name.map(asSubmissionId),
    partCount: uint32,
    wants: keys,
  }),
  fc.record({ type: type('client-desires-keys'), keys }),
  fc.record({ type: type('client-resumes'), keys, isLast: fc.boolean() }),
  fc.record({ type: type('client-releases-keys'), keys }),
  fc.record({ type: type('cancel-keys'), keys, force: fc.boolean() }),
  fc.record({ type: type('retry-keys'), keys }),
  fc.record({
    type: type('data-scattered'),
    key,
    nbytes: count,
    holders: fc.array(workerId, { maxLength: 3 }),
  }),
  fc.record({ type: type('client-closing') }),
);

export const schedulerToClient: fc.Arbitrary<SchedulerToClient> = fc.oneof(
  fc.record({ type: type('graph-accepted'), submissionId: name.map(asSubmissionId) }),
  fc.record({ type: type('graph-refused'), submissionId: name.map(asSubmissionId), error: remoteError }),
  fc.record(
    {
      type: type('key-in-memory'),
      key,
      nbytes: count,
      holders: fc.array(holder, { maxLength: 3 }),
      inline: payload,
    },
    { requiredKeys: ['type', 'key', 'nbytes', 'holders'] },
  ),
  fc.record({ type: type('key-erred'), key, error: remoteError }),
  fc.record({ type: type('key-lost'), key }),
  fc.record({ type: type('key-cancelled'), key, reason: words }),
  fc.record({ type: type('key-retried'), key }),
);

export const schedulerToWorker: fc.Arbitrary<SchedulerToWorker> = fc.oneof(
  fc
    .record({
      type: type('compute-task'),
      stimulusId,
      runId,
      priority: fc.tuple(finite, finite, finite),
      attempt: uint32,
      expectedMs: fc.option(ms, { nil: undefined }),
      spec: taskSpec,
      dependencies: fc.array(dependency, { maxLength: 4 }),
    })
    .chain((message) =>
      fc.constantFrom(message, { ...message, evenIfPaused: true }, { ...message, expectedBytes: 70_000 }),
    ),
  fc.record({ type: type('free-keys'), stimulusId, keys }),
  fc.record({ type: type('cancel-task'), stimulusId, key, runId }),
  fc.record({ type: type('acquire-replicas'), stimulusId, replicas: fc.array(dependency, { maxLength: 3 }) }),
  fc.record({
    type: type('refresh-who-has'),
    stimulusId,
    dependencies: fc.array(dependency, { maxLength: 3 }),
  }),
  fc.record({ type: type('peer-lost'), stimulusId, workerId }),
  fc.record({ type: type('run-function'), stimulusId, requestId: count, request: runRequest }),
  fc.record({
    type: type('unload-modules'),
    stimulusId,
    moduleHashes: fc.array(moduleHash, { maxLength: 3 }),
  }),
  fc.record(
    {
      type: type('close-worker'),
      stimulusId,
      reason: words,
      retired: fc.record({ leavesValues: fc.boolean() }),
    },
    { requiredKeys: ['type', 'stimulusId', 'reason'] },
  ),
  fc.record({ type: type('retire-worker'), stimulusId }),
);

export const workerToScheduler: fc.Arbitrary<WorkerToScheduler> = fc.oneof(
  fc.record(
    { type: type('task-finished'), stimulusId, key, runId, nbytes: count, durationMs: ms, inline: payload },
    { requiredKeys: ['type', 'stimulusId', 'key', 'runId', 'nbytes', 'durationMs'] },
  ),
  fc.record({ type: type('task-erred'), stimulusId, key, runId, error: remoteError, mayRetry: fc.boolean() }),
  fc.record({ type: type('task-handed-back'), stimulusId, key, runId, reason: words }),
  fc.record({ type: type('replicas-added'), stimulusId, replicas: fc.array(holding, { maxLength: 3 }) }),
  fc.record({ type: type('replica-missing'), stimulusId, key, holderId: workerId }),
  fc.record({ type: type('replicas-lost'), stimulusId, keys }),
  fc.record({ type: type('request-who-has'), stimulusId, keys }),
  fc.record({
    type: type('worker-status-change'),
    stimulusId,
    status: fc.constantFrom('running' as const, 'paused' as const, 'retiring' as const),
  }),
  fc.record({
    type: type('heartbeat'),
    stimulusId,
    metrics: fc.record(
      {
        memory: memoryReadings,
        isUnderPressure: fc.boolean(),
        memoryLimitBytes: count,
        cpuFraction: finite,
        loopDelayMs: ms,
        executing: fc.array(
          fc.record({ key, runId, forMs: ms, peakBytes: count }, { requiredKeys: ['key', 'runId', 'forMs'] }),
          { maxLength: 3 },
        ),
      },
      { requiredKeys: ['memory', 'isUnderPressure', 'cpuFraction', 'loopDelayMs', 'executing'] },
    ),
  }),
  fc.record(
    {
      type: type('request-retirement'),
      stimulusId,
      reason: words,
      deadlineMs: ms,
      mayLeave: fc.boolean(),
      leavesAll: fc.constant(true),
    },
    { requiredKeys: ['type', 'stimulusId', 'reason', 'deadlineMs', 'mayLeave'] },
  ),
  fc.record({ type: type('run-done'), stimulusId, requestId: count, outcome: runOutcome }),
  fc.record({ type: type('worker-closing'), stimulusId, reason: words, leavesValues: fc.boolean() }),
);

const deathCause: fc.Arbitrary<DeathCause> = fc.oneof(
  fc.record({
    kind: fc.constantFrom(
      'closed' as const,
      'heap-exhausted' as const,
      'host-lost' as const,
      'kernel-oom' as const,
      'unreachable' as const,
      'unwatched' as const,
    ),
  }),
  fc.record({ kind: type('exit-code'), code: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) }),
  fc.record({ kind: type('signal'), signal: name }),
  fc.record({ kind: type('memory-limit'), processBytes: count, limitBytes: count, terminateBytes: count }),
  fc.record({ kind: type('replaced'), by: name }),
  fc.record({ kind: type('hung'), silentMs: ms, ttlMs: ms }),
  fc.record({ kind: type('recycled'), reason: words }),
  fc.record({ kind: type('start-failed'), message: words }),
);

export const nannyToScheduler: fc.Arbitrary<NannyToScheduler> = fc.oneof(
  fc.record({ type: type('worker-spawned'), stimulusId, workerId, name, pid: uint32 }),
  fc.record({
    type: type('worker-exited'),
    stimulusId,
    restartInMs: timeoutMs,
    leavesValues: fc.boolean(),
    verdict: fc.record({
      workerId,
      workerName: name,
      cause: deathCause,
      summary: words,
      pid: fc.option(uint32, { nil: undefined }),
      livedMs: ms,
      stderrTail: words,
      samples: fc.array(fc.record({ beforeEndMs: ms, processBytes: count }), { maxLength: 3 }),
      limitBytes: fc.oneof(fc.constant(false as const), count),
      terminateBytes: fc.oneof(fc.constant(false as const), count),
      nextStep: words,
    }),
  }),
  fc.record({ type: type('heartbeat'), stimulusId }),
  fc.record({ type: type('nanny-closing'), stimulusId }),
);

export const schedulerToNanny: fc.Arbitrary<SchedulerToNanny> = fc.oneof(
  fc.record({ type: type('restart-worker'), stimulusId, workerId, reason: words }),
  fc.record({ type: type('close-nanny'), stimulusId, reason: words }),
);

export const clientHello: fc.Arbitrary<ClientHello> = fc.record(
  {
    clientId: name.map(asClientId),
    protocol,
    softwareVersion: words,
    isBack: fc.constant(true),
  },
  { requiredKeys: ['clientId', 'protocol', 'softwareVersion'] },
);
export const workerHello: fc.Arbitrary<WorkerHello> = fc.record(
  {
    workerId,
    name,
    nannyId: name.map(asNannyId),
    address,
    nthreads: fc.nat({ max: 4096 }),
    memoryLimitBytes: fc.oneof(fc.constant(false as const), count),
    isLimitEnforced: fc.boolean(),
    terminateFraction: fc.double({ min: 0, max: 1, noNaN: true, noDefaultInfinity: true }),
    pid: uint32,
    protocol,
    softwareVersion: words,
    holdings: fc.array(holding, { maxLength: 3 }),
    executing: fc.array(fc.record({ key, runId }), { minLength: 1, maxLength: 3 }),
  },
  {
    requiredKeys: [
      'workerId',
      'name',
      'address',
      'nthreads',
      'memoryLimitBytes',
      'isLimitEnforced',
      'pid',
      'protocol',
      'softwareVersion',
      'holdings',
    ],
  },
);
export const nannyHello: fc.Arbitrary<NannyHello> = fc.record({
  nannyId: name.map(asNannyId),
  name,
  address,
  pid: uint32,
  protocol,
  softwareVersion: words,
});
