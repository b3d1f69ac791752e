/** Starts the worker_thread of a task thread, and reads from Node's error what ended one. */
import { setFlagsFromString } from 'node:v8';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { UnavailableError } from '@spillway/kernel';
import { type RemoteError, toRemoteError } from '@spillway/messages';
import { boundedText } from './error-text.js';
import type { ThreadEnding } from './run-entry.js';
import type { ThreadSetup } from './thread-protocol.js';

/**
 * Enough to encode values nested 10,000 deep. Measured with `v8.serialize`: 4 MiB reach 5,000, 8 MiB 10,000,
 * 16 MiB 20,000.
 */
const STACK_MB = 16;
const MEBIBYTE = 1024 * 1024;

let areFlagsSet = false;

export interface ThreadStart {
  readonly entry: URL;
  readonly setup: Omit<ThreadSetup, 'port' | 'memory'>;
  readonly heapMaxBytes: number | false;
  /** Cap of what the thread has made a moment ago, on top of it; `false` leaves V8's own, 48 MiB. */
  readonly youngMaxBytes: number | false;
}

/** Throws what Node throws when it cannot make a thread (no more of them, an entry that is no file). */
export function startThread(
  start: ThreadStart,
  memory: SharedArrayBuffer,
): { worker: Worker; port: MessagePort } {
  // A channel of our own: user code that posts to its parent port, or closes it, breaks nothing.
  const { port1, port2 } = new MessageChannel();
  try {
    return { worker: makeWorker(start, { ...start.setup, port: port2, memory }), port: port1 };
  } catch (error) {
    port1.close();
    throw error;
  }
}

function makeWorker({ entry, heapMaxBytes, youngMaxBytes }: ThreadStart, setup: ThreadSetup): Worker {
  // `--max-old-space-size` of the process would override the threads' own limits (D3, measured); zero undoes it for
  // isolates made from now on. Heap options in NODE_OPTIONS would do the same.
  if (!areFlagsSet) setFlagsFromString('--max-old-space-size=0');
  areFlagsSet = true;
  const environ = { ...process.env };
  delete environ['NODE_OPTIONS'];
  const worker = new Worker(entry, {
    workerData: { setup },
    transferList: [setup.port],
    env: environ,
    stdout: true,
    stderr: true,
    resourceLimits: {
      stackSizeMb: STACK_MB,
      ...(heapMaxBytes === false ? {} : { maxOldGenerationSizeMb: wholeMebibytes(heapMaxBytes) }),
      ...(youngMaxBytes === false ? {} : { maxYoungGenerationSizeMb: wholeMebibytes(youngMaxBytes) }),
    },
  });
  // Output is captured inside the thread; what still comes this way must not fill a buffer.
  worker.stdout.resume();
  worker.stderr.resume();
  return worker;
}

const wholeMebibytes = (bytes: number): number => Math.max(1, Math.floor(bytes / MEBIBYTE));

/** What Node says about a thread that ended by an error: its heap was full, or the thread did not catch it itself. */
export function endingOf(error: unknown, heapMaxBytes: number | false): ThreadEnding {
  const { code, message, stack } = error as { code?: unknown; message?: unknown; stack?: unknown };
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return { type: 'out-of-memory', heapMaxBytes };
  return {
    type: 'crashed',
    raisedBy: undefined,
    error: {
      code: 'TASK_FAILED',
      message: boundedText(typeof message === 'string' ? message : String(error)),
      ...(typeof stack === 'string' ? { stack: boundedText(stack) } : {}),
      details: {},
    },
  };
}

/** For runs that were given to a thread which never came up: an installation that is broken, not the task. */
export function startError(reason: string): RemoteError {
  return toRemoteError(
    new UnavailableError(
      `An executor thread of this worker could not start (${boundedText(reason, 1000)}). Look at the worker's installation and log.`,
    ),
  );
}

export function endingText(ending: ThreadEnding): string {
  switch (ending.type) {
    case 'exited':
      return `process.exit(${ending.code})`;
    case 'out-of-memory':
      return 'its heap was full';
    case 'crashed':
      return ending.error.message;
  }
}
