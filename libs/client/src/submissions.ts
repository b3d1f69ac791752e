/**
 * Makes graphs of the tasks that are submitted. The calls of one turn travel as one graph; a call with a key of its
 * own choice makes its own, since only that can be refused, and so does a call of very many tasks. Encoding is done in
 * slices, between which the caller's loop turns, and no faster than the cluster takes what is said.
 */
import { asSubmissionId, type SpillwayError, type SubmissionId } from '@spillway/kernel';
import type { ClientToScheduler, Payload, SchedulerToClient } from '@spillway/messages';
import type { Timers } from '@spillway/ports';
import { ArgumentEncoder, type EncodedArguments, type LargeArgument } from './arguments.js';
import { untilBacklogIsSmall } from './backlog.js';
import type { FutureOwner } from './future.js';
import { GraphWriter } from './graph-writer.js';
import type { KeyTable } from './key-table.js';
import type { Outbox } from './outbox.js';
import { rebuildError } from './remote-errors.js';
import { encodedArguments, failureOfDependency, specOf, type TaskDraft } from './task-draft.js';
import type { ResolvedTaskOptions } from './task-options.js';

/** Tasks of one call from which it makes a graph of its own. */
const OWN_GRAPH_TASKS_MIN = 1000;
/** Work between two turns of the caller's loop: a few milliseconds. */
const SLICE_TASKS_MAX = 500;
const SLICE_BYTES_MAX = 256 * 1024;
/** Large arguments of one slice under way to the workers at a time. */
const SLICE_LARGE_BYTES_MAX = 64 * 1024 * 1024;

type GraphAnswer = Extract<SchedulerToClient, { type: 'graph-accepted' | 'graph-refused' }>;

/** The tasks of one graph, in the order of the calls. */
interface Batch {
  readonly drafts: TaskDraft[];
  readonly encoder: ArgumentEncoder;
  readonly large: LargeArgument[];
  /** Resolves when no more calls are added. */
  readonly closed: Promise<void>;
  close(): void;
}

interface EncodedDraft {
  readonly draft: TaskDraft;
  readonly encoded: EncodedArguments;
}

export interface SubmissionsOptions {
  readonly owner: FutureOwner;
  readonly keys: KeyTable;
  readonly outbox: Outbox;
  readonly timers: Timers;
  readonly send: (message: ClientToScheduler) => void;
  readonly nextSubmissionId: () => string;
  /** Arguments that encode to more travel outside of the graph. */
  readonly inlineArgumentBytesMax: number;
  /** What was sent and is not acknowledged; 0 when nobody will. */
  readonly backlogBytes: () => number;
  /** The session is over: nothing that is sent goes anywhere. */
  readonly isOver: () => boolean;
  /** Begins to put a large argument into the cluster. */
  readonly place: (payload: Payload) => LargeArgument;
}

export class Submissions {
  #open: Batch | undefined;
  readonly #unanswered = new Map<SubmissionId, readonly TaskDraft[]>();
  /** What was said of graphs that are not answered yet, whole or in part. */
  readonly #said = new Map<SubmissionId, ClientToScheduler[]>();

  constructor(private readonly options: SubmissionsOptions) {}

  /** The encoder of the graph that a call with these options will be part of: encodes before `add`. */
  encoderFor(options: ResolvedTaskOptions): ArgumentEncoder {
    if (options.key !== undefined) this.#closeIfBegun();
    return (this.#open ?? this.#openBatch()).encoder;
  }

  /** The tasks of one call. */
  add(drafts: readonly TaskDraft[]): void {
    const isLarge = drafts.length >= OWN_GRAPH_TASKS_MIN;
    if (isLarge) this.#closeIfBegun();
    const batch = this.#open ?? this.#openBatch();
    for (const draft of drafts) batch.drafts.push(draft);
    if (isLarge || drafts.some(({ options }) => options.key !== undefined)) this.closeOpen();
  }

  #closeIfBegun(): void {
    if (this.#open !== undefined && this.#open.drafts.length > 0) this.closeOpen();
  }

  /** What is submitted after this goes into another graph, and after what is said in between. */
  closeOpen(): void {
    this.#open?.close();
    this.#open = undefined;
  }

  answered(message: GraphAnswer): void {
    const drafts = this.#unanswered.get(message.submissionId);
    if (drafts === undefined) return;
    this.#unanswered.delete(message.submissionId);
    this.#said.delete(message.submissionId);
    for (const { record } of drafts) record.awaitsAcceptance = false;
    if (message.type === 'graph-accepted') return;
    const error = rebuildError(message.error);
    for (const draft of drafts) fail(draft, error);
  }

  /** To another life of the scheduler. A graph that it has accepted already it accepts again, and does nothing. */
  sayAgain(): void {
    for (const messages of this.#said.values()) for (const message of messages) this.options.send(message);
  }

  #openBatch(): Batch {
    const large: LargeArgument[] = [];
    const { promise: closed, resolve: close } = withResolver();
    const { owner, inlineArgumentBytesMax } = this.options;
    const place = (payload: Payload): LargeArgument => {
      const argument = this.options.place(payload);
      large.push(argument);
      return argument;
    };
    const encoder = new ArgumentEncoder(owner, place, inlineArgumentBytesMax);
    const batch: Batch = { drafts: [], encoder, large, closed, close };
    this.#open = batch;
    this.options.timers.soon(() => {
      if (this.#open === batch) this.closeOpen();
    });
    this.options.outbox.add(() => this.#submit(batch));
    return batch;
  }

  async #submit(batch: Batch): Promise<void> {
    await batch.closed;
    const submissionId = asSubmissionId(this.options.nextSubmissionId());
    const said: ClientToScheduler[] = [];
    this.#said.set(submissionId, said);
    const writer = new GraphWriter(submissionId, (message) => {
      said.push(message);
      this.options.send(message);
    });
    for (let start = 0; start < batch.drafts.length;) {
      if (start > 0) await this.#nextTurn();
      await untilBacklogIsSmall(this.options.backlogBytes, this.options.timers);
      // Their keys have erred with the session.
      if (this.options.isOver()) break;
      const slice = this.#encodeSlice(batch, start);
      start = slice.end;
      const failures = await failuresOf(slice.encoded);
      for (const { draft, encoded } of slice.encoded) this.#write(writer, draft, encoded, failures);
    }
    if (writer.taskCount > 0 && !this.options.isOver()) {
      this.#unanswered.set(submissionId, batch.drafts);
      writer.commit();
    } else {
      this.#said.delete(submissionId);
    }
    // From here on the tasks' own records hold them.
    for (const { record } of batch.large) this.options.keys.release(record);
  }

  #encodeSlice(batch: Batch, start: number): { readonly encoded: EncodedDraft[]; readonly end: number } {
    const encoded: EncodedDraft[] = [];
    let end = start;
    let bytes = 0;
    let largeBytes = 0;
    while (end < batch.drafts.length && end - start < SLICE_TASKS_MAX) {
      if (bytes > SLICE_BYTES_MAX || largeBytes > SLICE_LARGE_BYTES_MAX) break;
      const draft = batch.drafts[end]!;
      end += 1;
      try {
        const one = encodedArguments(draft, batch.encoder);
        bytes += one.payload.data.byteLength;
        for (const { payload } of one.large) largeBytes += payload.data.byteLength;
        encoded.push({ draft, encoded: one });
      } catch (error) {
        fail(draft, error as SpillwayError);
      }
    }
    return { encoded, end };
  }

  #write(writer: GraphWriter, draft: TaskDraft, encoded: EncodedArguments, failures: Failures): void {
    const failure = failureOfDependency(encoded) ?? failureOfNeeds(draft, encoded, failures);
    if (failure !== undefined) {
      fail(draft, failure);
      return;
    }
    if (draft.record.referenceCount > 0) {
      for (const { record } of encoded.large) this.options.keys.hold(draft.record, record);
    }
    if (draft.ticket === undefined) draft.record.awaitsAcceptance = true;
    draft.record.hasBeenSaid = true;
    writer.add(specOf(draft, encoded));
  }

  #nextTurn(): Promise<void> {
    return new Promise((resolve) => this.options.timers.soon(resolve));
  }
}

/** Why modules and large arguments did not reach the cluster. */
type Failures = ReadonlyMap<Promise<void>, SpillwayError>;
const NO_FAILURES: Failures = new Map();

/** Waits for what the tasks need before they can be sent. */
async function failuresOf(encoded: readonly EncodedDraft[]): Promise<Failures> {
  const needed = new Set<Promise<void>>();
  for (const { draft, encoded: one } of encoded) {
    if (draft.callable.ready !== undefined) needed.add(draft.callable.ready);
    for (const { placed } of one.large) needed.add(placed);
  }
  if (needed.size === 0) return NO_FAILURES;
  const failures = new Map<Promise<void>, SpillwayError>();
  const noteFailure = (promise: Promise<void>): Promise<unknown> =>
    promise.catch((error: unknown) => failures.set(promise, error as SpillwayError));
  await Promise.all([...needed].map(noteFailure));
  return failures;
}

function failureOfNeeds(
  { callable }: TaskDraft,
  { large }: EncodedArguments,
  failures: Failures,
): SpillwayError | undefined {
  if (failures.size === 0) return undefined;
  if (callable.ready !== undefined && failures.has(callable.ready)) return failures.get(callable.ready);
  for (const { placed } of large) if (failures.has(placed)) return failures.get(placed);
  return undefined;
}

function fail({ record, ticket }: TaskDraft, error: SpillwayError): void {
  if (ticket !== undefined) {
    ticket.refused = { name: 'erred', error };
    record.notify();
  } else if (record.state.name !== 'cancelled') {
    record.isUnsubmitted = true;
    record.become({ name: 'erred', error });
  }
}

function withResolver(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
