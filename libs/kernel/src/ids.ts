/**
 * The names of things that cross process borders. Each is a branded string (or number), so that a worker's id cannot
 * be passed where a key is wanted. `as…` functions brand what was already validated at an edge; they check nothing.
 */

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** Identity of a result: the key of the task that makes it, or of the data that was scattered. */
export type TaskKey = Branded<string, 'TaskKey'>;
/** One life of one worker process. A restarted worker has the same name and a new id. */
export type WorkerId = Branded<string, 'WorkerId'>;
/** One life of one nanny process. */
export type NannyId = Branded<string, 'NannyId'>;
/** One session of one client. */
export type ClientId = Branded<string, 'ClientId'>;
/** Made by the client for each graph it submits; submitting the same id twice gives one graph. */
export type SubmissionId = Branded<string, 'SubmissionId'>;
/** Content hash (hex) of an uploaded module bundle. */
export type ModuleHash = Branded<string, 'ModuleHash'>;
/** Cause of a change: every event has one and every instruction, message and log line it causes repeats it. */
export type StimulusId = Branded<string, 'StimulusId'>;
/** Attempt number of a task, unique within one scheduler's life. Results of an older attempt are ignored. */
export type RunId = Branded<number, 'RunId'>;

export const asTaskKey = (text: string): TaskKey => text as TaskKey;
export const asWorkerId = (text: string): WorkerId => text as WorkerId;
export const asNannyId = (text: string): NannyId => text as NannyId;
export const asClientId = (text: string): ClientId => text as ClientId;
export const asSubmissionId = (text: string): SubmissionId => text as SubmissionId;
export const asModuleHash = (text: string): ModuleHash => text as ModuleHash;
export const asStimulusId = (text: string): StimulusId => text as StimulusId;
export const asRunId = (count: number): RunId => count as RunId;
