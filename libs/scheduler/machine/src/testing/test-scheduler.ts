/**
 * A machine with hands: it numbers the stimuli, keeps the time, remembers which runs are out, and checks every invariant
 * after every event.
 */
import {
  asClientId,
  asNannyId,
  asRunId,
  asStimulusId,
  asSubmissionId,
  asTaskKey,
  asWorkerId,
  type RunId,
} from '@spillway/kernel';
import {
  JournalState,
  NO_READINGS,
  PROTOCOL_VERSION,
  remoteError,
  type MemoryReadings,
  type Payload,
  type RemoteError,
  type SchedulerToClient,
  type SchedulerToWorker,
  type TaskSpec,
  type Verdict,
  type WorkerStatus,
} from '@spillway/messages';
import type { SchedulerEvent } from '../events.js';
import type { SchedulerInstruction } from '../instructions.js';
import type { SchedulerMachineOptions } from '../options.js';
import { SchedulerMachine } from '../scheduler-machine.js';
import type { StateName } from '../task.js';
import { aWorkerHello, type WorkerDraft } from './builders.js';
import { checkJournal } from './check-journal.js';

type WithoutStimulus<Event> = Event extends unknown ? Omit<Event, 'stimulusId'> : never;
/** An event to which the stimulus id is still to be given. */
export type EventDraft = WithoutStimulus<SchedulerEvent>;

/** A run that is out: told to a worker, not yet reported on. */
export interface Run {
  readonly key: string;
  readonly workerId: string;
  readonly runId: RunId;
}

/** What a heartbeat says of memory; the rest is zero. */
export interface MemoryDraft extends Partial<MemoryReadings> {
  readonly isUnderPressure?: boolean;
  readonly memoryLimitBytes?: number;
}

export interface FinishDraft {
  readonly nbytes?: number;
  readonly durationMs?: number;
  readonly inline?: Payload;
}

export class TestScheduler {
  machine: SchedulerMachine;
  /** What the machine has had written down. */
  readonly journal = new JournalState();
  nowMs = 0;
  /** Every run assigned so far, oldest first. */
  readonly runs: Run[] = [];
  #stimulusCount = 0;
  #submissionCount = 0;

  constructor(
    private readonly options: SchedulerMachineOptions = {},
    private readonly checks: 'all' | 'none' = 'all',
  ) {
    this.machine = this.#newMachine();
    this.journal.apply({ type: 'scheduler-started', life: 1, lastSubmission: 0 });
  }

  /** The scheduler dies and is started again: what is known is what was written down. Runs that are out stay so. */
  restart(): SchedulerInstruction[] {
    const records = [...this.journal.records()];
    this.machine = this.#newMachine();
    return this.handle({ type: 'recover', records });
  }

  #newMachine(): SchedulerMachine {
    return new SchedulerMachine({
      validate: this.checks === 'all',
      journal: this.checks === 'all',
      ...this.options,
    });
  }

  /** The stimulus of the last event. */
  get stimulusId(): string {
    return `s${this.#stimulusCount}`;
  }

  handle(event: EventDraft): SchedulerInstruction[] {
    this.#stimulusCount += 1;
    const stimulusId = asStimulusId(this.stimulusId);
    const all = this.machine.handle({ ...event, stimulusId }, this.nowMs);
    const instructions = all.filter(({ type }) => type !== 'journal');
    for (const instruction of all) {
      if (instruction.type === 'journal')
        for (const record of instruction.records) this.journal.apply(record);
      if (instruction.type !== 'send-to-worker' || instruction.message.type !== 'compute-task') continue;
      const { spec, runId } = instruction.message;
      this.runs.push({ key: spec.key, workerId: instruction.workerId, runId });
    }
    if (this.checks === 'all') {
      this.machine.checkAll();
      checkJournal(this.machine, this.journal, this.nowMs);
    }
    return instructions;
  }

  connect(clientId: string): SchedulerInstruction[] {
    return this.handle({ type: 'client-connected', clientId: asClientId(clientId) });
  }

  /** It has noticed that this is another life of the scheduler. */
  resume(clientId: string, ...keys: string[]): SchedulerInstruction[] {
    const id = asClientId(clientId);
    return [
      ...this.handle({ type: 'client-connected', clientId: id, isBack: true }),
      ...this.handle({ type: 'client-resumes', clientId: id, keys: keys.map(asTaskKey), isLast: true }),
    ];
  }

  disconnect(clientId: string): SchedulerInstruction[] {
    return this.handle({ type: 'client-disconnected', clientId: asClientId(clientId) });
  }

  close(clientId: string): SchedulerInstruction[] {
    return this.handle({ type: 'client-closing', clientId: asClientId(clientId) });
  }

  /** One graph in one part; wants all of its keys unless told otherwise. */
  submit(
    clientId: string,
    tasks: readonly TaskSpec[],
    wants: readonly string[] = tasks.map((task) => task.key),
    submissionId = `g${(this.#submissionCount += 1)}`,
  ): SchedulerInstruction[] {
    const whose = { clientId: asClientId(clientId), submissionId: asSubmissionId(submissionId) };
    return [
      ...this.handle({ type: 'graph-part', ...whose, partIndex: 0, tasks }),
      ...this.handle({ type: 'graph-commit', ...whose, partCount: 1, wants: wants.map(asTaskKey) }),
    ];
  }

  /** One part after the other, each with its tasks and what it wants; the commit wants nothing more. */
  submitInParts(
    clientId: string,
    submissionId: string,
    parts: readonly { readonly tasks: readonly TaskSpec[]; readonly wants: readonly string[] }[],
  ): SchedulerInstruction[] {
    const whose = { clientId: asClientId(clientId), submissionId: asSubmissionId(submissionId) };
    return [
      ...parts.flatMap(({ tasks, wants }, partIndex) =>
        this.handle({ type: 'graph-part', ...whose, partIndex, tasks, wants: wants.map(asTaskKey) }),
      ),
      ...this.handle({ type: 'graph-commit', ...whose, partCount: parts.length, wants: [] }),
    ];
  }

  desire(clientId: string, ...keys: string[]): SchedulerInstruction[] {
    return this.handle({
      type: 'client-desires-keys',
      clientId: asClientId(clientId),
      keys: keys.map(asTaskKey),
    });
  }

  release(clientId: string, ...keys: string[]): SchedulerInstruction[] {
    return this.handle({
      type: 'client-releases-keys',
      clientId: asClientId(clientId),
      keys: keys.map(asTaskKey),
    });
  }

  cancel(clientId: string, keys: readonly string[], force = false): SchedulerInstruction[] {
    return this.handle({
      type: 'cancel-keys',
      clientId: asClientId(clientId),
      keys: keys.map(asTaskKey),
      force,
    });
  }

  retry(clientId: string, ...keys: string[]): SchedulerInstruction[] {
    return this.handle({ type: 'retry-keys', clientId: asClientId(clientId), keys: keys.map(asTaskKey) });
  }

  scatter(clientId: string, key: string, nbytes: number, ...holders: string[]): SchedulerInstruction[] {
    return this.handle({
      type: 'data-scattered',
      clientId: asClientId(clientId),
      key: asTaskKey(key),
      nbytes,
      holders: holders.map(asWorkerId),
    });
  }

  register(workerId: string, draft: WorkerDraft = {}): SchedulerInstruction[] {
    return this.handle({ type: 'worker-registered', hello: aWorkerHello(workerId, draft) });
  }

  lose(
    workerId: string,
    options: { onPurpose?: boolean; verdict?: Verdict; leavesValues?: boolean } = {},
  ): SchedulerInstruction[] {
    return this.handle({
      type: 'worker-lost',
      workerId: asWorkerId(workerId),
      onPurpose: options.onPurpose ?? false,
      ...(options.verdict === undefined ? {} : { verdict: options.verdict }),
      ...(options.leavesValues === undefined ? {} : { leavesValues: options.leavesValues }),
    });
  }

  nannyRegistered(id: string): SchedulerInstruction[] {
    const hello = {
      nannyId: asNannyId(id),
      name: id,
      address: `${id}:1`,
      pid: 1,
      protocol: PROTOCOL_VERSION,
      softwareVersion: 'test',
    };
    return this.handle({ type: 'nanny-registered', hello });
  }

  nannyEvent(
    type: 'nanny-disconnected' | 'nanny-resumed' | 'nanny-lost',
    id: string,
  ): SchedulerInstruction[] {
    return this.handle({ type, nannyId: asNannyId(id) });
  }

  setStatus(workerId: string, status: WorkerStatus): SchedulerInstruction[] {
    return this.handle({ type: 'worker-status-change', workerId: asWorkerId(workerId), status });
  }

  retire(workerIds: readonly string[], deadlineMs?: number): SchedulerInstruction[] {
    return this.handle({
      type: 'retire-workers',
      workerIds: workerIds.map(asWorkerId),
      reason: 'asked',
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
    });
  }

  requestRetirement(
    workerId: string,
    options: { deadlineMs?: number; mayLeave?: boolean; leavesAll?: boolean } = {},
  ): SchedulerInstruction[] {
    return this.handle({
      type: 'request-retirement',
      workerId: asWorkerId(workerId),
      reason: 'SIGTERM',
      deadlineMs: options.deadlineMs ?? 8_000,
      mayLeave: options.mayLeave ?? false,
      ...(options.leavesAll === true ? { leavesAll: true } : {}),
    });
  }

  finish(key: string, draft: FinishDraft = {}, run = this.runOf(key)): SchedulerInstruction[] {
    return this.handle({
      type: 'task-finished',
      workerId: asWorkerId(run.workerId),
      key: asTaskKey(key),
      runId: run.runId,
      nbytes: draft.nbytes ?? 100,
      durationMs: draft.durationMs ?? 100,
      ...(draft.inline === undefined ? {} : { inline: draft.inline }),
    });
  }

  err(
    key: string,
    options: { mayRetry?: boolean; error?: RemoteError } = {},
    run = this.runOf(key),
  ): SchedulerInstruction[] {
    return this.handle({
      type: 'task-erred',
      workerId: asWorkerId(run.workerId),
      key: asTaskKey(key),
      runId: run.runId,
      error: options.error ?? remoteError('TASK_FAILED', 'boom'),
      mayRetry: options.mayRetry ?? true,
    });
  }

  handBack(key: string, run = this.runOf(key)): SchedulerInstruction[] {
    return this.handle({
      type: 'task-handed-back',
      workerId: asWorkerId(run.workerId),
      key: asTaskKey(key),
      runId: run.runId,
      reason: 'paused',
    });
  }

  addReplica(workerId: string, key: string, nbytes = 100): SchedulerInstruction[] {
    return this.handle({
      type: 'replicas-added',
      workerId: asWorkerId(workerId),
      replicas: [{ key: asTaskKey(key), nbytes }],
    });
  }

  reportMissing(workerId: string, key: string, holderId: string): SchedulerInstruction[] {
    return this.handle({
      type: 'replica-missing',
      workerId: asWorkerId(workerId),
      key: asTaskKey(key),
      holderId: asWorkerId(holderId),
    });
  }

  loseReplicas(workerId: string, ...keys: string[]): SchedulerInstruction[] {
    return this.handle({ type: 'replicas-lost', workerId: asWorkerId(workerId), keys: keys.map(asTaskKey) });
  }

  heartbeat(
    workerId: string,
    executing: Readonly<Record<string, number>> = {},
    memory: MemoryDraft = {},
    peakBytes: Readonly<Record<string, number>> = {},
  ): SchedulerInstruction[] {
    const { isUnderPressure = false, memoryLimitBytes, ...readings } = memory;
    return this.handle({
      type: 'heartbeat',
      workerId: asWorkerId(workerId),
      metrics: {
        memory: { ...NO_READINGS, ...readings },
        isUnderPressure,
        ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
        cpuFraction: 0,
        loopDelayMs: 0,
        executing: Object.entries(executing).map(([key, forMs]) => ({
          key: asTaskKey(key),
          runId: this.runOf(key).runId,
          forMs,
          ...(peakBytes[key] === undefined ? {} : { peakBytes: peakBytes[key] }),
        })),
      },
    });
  }

  tick(nowMs = this.nowMs): SchedulerInstruction[] {
    this.nowMs = nowMs;
    return this.handle({ type: 'tick' });
  }

  stateOf(key: string): StateName {
    return this.machine.stateOf(asTaskKey(key));
  }

  /** The last run of the task that was assigned; a run nobody has when there was none. */
  runOf(key: string): Run {
    return this.runs.findLast((run) => run.key === key) ?? { key, workerId: 'nobody', runId: asRunId(0) };
  }
}

export const aScheduler = (options: SchedulerMachineOptions = {}): TestScheduler =>
  new TestScheduler(options);

/** What one client is told. */
export function toClient(
  instructions: readonly SchedulerInstruction[],
  clientId: string,
): SchedulerToClient[] {
  return instructions.flatMap((each) =>
    each.type === 'send-to-client' && each.clientId === clientId ? [each.message] : [],
  );
}

/** What one worker is told. */
export function toWorker(
  instructions: readonly SchedulerInstruction[],
  workerId: string,
): SchedulerToWorker[] {
  return instructions.flatMap((each) =>
    each.type === 'send-to-worker' && each.workerId === workerId ? [each.message] : [],
  );
}
