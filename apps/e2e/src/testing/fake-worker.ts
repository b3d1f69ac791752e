/** A worker that is none: registers as others do, and answers whatever a test wants it to. */
import { randomUUID } from 'node:crypto';
import { asStimulusId, asWorkerId, type SpillwayError, type TaskKey } from '@spillway/kernel';
import { PROTOCOL_VERSION, type SchedulerToWorker, type WorkerToScheduler } from '@spillway/messages';
import { systemClock, systemTimers } from '@spillway/platform';
import { openWorkerLink } from '@spillway/protocol';

type Told = SchedulerToWorker['type'];
type MessageOf<Type extends Told> = Extract<SchedulerToWorker, { type: Type }>;
type WithoutStimulus<Message> = Message extends unknown ? Omit<Message, 'stimulusId'> : never;
type Said = WithoutStimulus<WorkerToScheduler>;

export class FakeWorker implements Disposable {
  readonly name = `fake-${randomUUID()}`;
  readonly ended: Promise<SpillwayError | undefined>;
  readonly #told: SchedulerToWorker[] = [];
  #link: Awaited<ReturnType<typeof openWorkerLink>> | undefined;
  #onTold: () => void = () => undefined;
  #end!: (error: SpillwayError | undefined) => void;

  private constructor() {
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  /** `address`: of a data service that nobody serves. */
  static async register(scheduler: string, address: string): Promise<FakeWorker> {
    const worker = new FakeWorker();
    const workerId = asWorkerId(worker.name);
    worker.#link = await openWorkerLink({
      address: scheduler,
      hello: () => ({
        workerId,
        name: worker.name,
        address,
        nthreads: 1,
        memoryLimitBytes: false,
        isLimitEnforced: true,
        pid: 1,
        protocol: PROTOCOL_VERSION,
        softwareVersion: 'a test',
        holdings: [],
      }),
      listener: {
        onMessages: (messages) => {
          worker.#told.push(...messages);
          worker.#onTold();
        },
        onEnded: (error) => worker.#end(error),
      },
      clock: systemClock,
      timers: systemTimers,
      connectTimeoutMs: 10_000,
      resumeGraceMs: 1000,
    });
    return worker;
  }

  say(message: Said): void {
    this.#link?.send({ ...message, stimulusId: asStimulusId('fake') });
  }

  finished(key: string, runId: number, value: unknown): void {
    const data = Buffer.from(JSON.stringify(value));
    const inline = { encoding: 'json', data } as const;
    this.say({
      type: 'task-finished',
      key: key as TaskKey,
      runId: runId as MessageOf<'compute-task'>['runId'],
      nbytes: data.length,
      durationMs: 1,
      inline,
    });
  }

  /** The next message of this type; those of other types before it are passed over. */
  async told<Type extends Told>(type: Type): Promise<MessageOf<Type>> {
    for (;;) {
      for (let next = this.#told.shift(); next !== undefined; next = this.#told.shift())
        if (next.type === type) return next as MessageOf<Type>;
      await new Promise<void>((resolve) => (this.#onTold = resolve));
    }
  }

  [Symbol.dispose](): void {
    this.#link?.close('The test is over.');
  }
}
