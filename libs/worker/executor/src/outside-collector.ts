/**
 * Collects the garbage of a thread from outside, through the inspector: a thread in the middle of a long task reads no
 * messages, but V8 lets the inspector in between two of its steps, even while it waits in `Atomics.wait`. No user code
 * runs and nothing is paused.
 *
 * Not `HeapProfiler.collectGarbage`: in Node 20 that waits for the thread's loop to turn. The end of a heap sampling
 * collects at once, and with so large an interval nothing is sampled. A native call keeps the inspector out too; then the
 * wait ends by itself, and the thread collects when the call returns.
 */
import type { Session } from 'node:inspector';
import type { Clock, Timers } from '@spillway/ports';

/** Longer than collecting a heap of some gigabytes takes. */
const GIVE_UP_AFTER_MS = 5000;
const SAMPLING_INTERVAL_BYTES = 2 ** 30;

const REQUESTS = [
  { id: 1, method: 'HeapProfiler.startSampling', params: { samplingInterval: SAMPLING_INTERVAL_BYTES } },
  { id: 2, method: 'HeapProfiler.stopSampling' },
  { id: 3, method: 'Runtime.getHeapUsage' },
] as const;
const LAST_ID = 3;

/** The heap after it was collected. */
export interface CollectedHeap {
  /** Committed and not used. */
  readonly unusedBytes: number;
  /** How long the thread was held up for it, at most. */
  readonly tookMs: number;
}

export class OutsideCollector {
  /** One thread at a time: a session attaches to all threads of the process. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly timers: Timers,
    private readonly clock: Clock,
  ) {}

  /** `undefined` when the thread did not let it happen in time, or is gone. Never rejects. */
  collect(threadId: () => number): Promise<CollectedHeap | undefined> {
    const turn = this.#turn.then(() => this.#collectNow(threadId()));
    this.#turn = turn;
    return turn;
  }

  async #collectNow(threadId: number): Promise<CollectedHeap | undefined> {
    // Threads that have ended have this number.
    if (threadId < 0) return undefined;
    try {
      const { Session: SessionOfNode } = await import('node:inspector');
      const session = new SessionOfNode();
      session.connect();
      try {
        return await this.#ask(session, `[worker ${threadId}]`);
      } finally {
        session.disconnect();
      }
    } catch {
      // A Node without inspector. The thread collects when its task has ended.
      return undefined;
    }
  }

  #ask(session: Session, title: string): Promise<CollectedHeap | undefined> {
    return new Promise((resolve) => {
      let ours: string | undefined;
      const startedAtMs = this.clock.nowMs();
      const timer = this.timers.after(GIVE_UP_AFTER_MS, () => resolve(undefined));
      const settle = (heap: CollectedHeap | undefined): void => {
        timer.cancel();
        resolve(heap);
      };
      const settleIfFailed = (error: Error | null): void => {
        if (error !== null) settle(undefined);
      };
      session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
        if (workerInfo.title !== title) return;
        ours = sessionId;
        for (const request of REQUESTS) {
          const message = JSON.stringify(request);
          session.post('NodeWorker.sendMessageToWorker', { sessionId, message }, settleIfFailed);
        }
      });
      session.on('NodeWorker.detachedFromWorker', ({ params }) => {
        if (params.sessionId === ours) settle(undefined);
      });
      session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
        const unusedBytes = params.sessionId === ours ? unusedBytesOf(params.message) : undefined;
        if (unusedBytes !== undefined) settle({ unusedBytes, tookMs: this.clock.nowMs() - startedAtMs });
      });
      session.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, () => {
        // All threads were attached before this is called: without ours there is none any more.
        if (ours === undefined) settle(undefined);
      });
    });
  }
}

/** By the answer to the last request; `undefined` for any other. */
function unusedBytesOf(message: string): number | undefined {
  const answer = JSON.parse(message) as { id?: number; result?: { usedSize: number; totalSize: number } };
  if (answer.id !== LAST_ID || answer.result === undefined) return undefined;
  return Math.max(0, answer.result.totalSize - answer.result.usedSize);
}
