/** Body of a task thread: takes its setup, guards the process's output and priority, and listens for runs. */
import { getPriority, setPriority } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { workerData } from 'node:worker_threads';
import { must } from '@spillway/kernel';
import { IsolateGarbage, systemClock, systemTimers } from '@spillway/platform';
import { publishSizeof } from '@spillway/values';
import { unpackRuns } from '../run-pack.js';
import { ResultRing, RunClaims } from '../shared-memory.js';
import type { FromThread, ThreadSetup, ToThread } from '../thread-protocol.js';
import { ThreadReadings } from '../thread-readings.js';
import { captureConsole, TaskLog } from './console-capture.js';
import { currentTasks, publishCurrentTask } from './context.js';
import { DecodedCopies } from './decoded-copies.js';
import { HeapReport } from './heap-report.js';
import { IdleGarbage } from './idle-garbage.js';
import { ModuleCache } from './module-cache.js';
import { TaskLoop } from './task-loop.js';
import { TaskRunner } from './task-runner.js';
import { thrownToRemoteError } from './thrown.js';

/** Niceness of threads that run user code: the control loop's delay stays at 2 to 4 ms beside busy ones (D3). */
const USER_CODE_PRIORITY = 10;

/** Call this, and nothing else, in the file that `ThreadExecutorOptions.entry` names. */
export function runTaskThread(): void {
  const setup = takeSetup();
  prepareGlobals();
  lowerPriority();
  const { port, memory, workerName, validate, copyBytesMax } = setup;
  const post = (message: FromThread): void => port.postMessage(message);
  const log = taskLogOf(post);
  const modules = new ModuleCache(setup);
  const readings = new ThreadReadings(memory);
  const heap = new HeapReport(readings, systemTimers);
  const copies = copyBytesMax === false ? undefined : new DecodedCopies(copyBytesMax, readings);
  const { idleGarbage, collectOwn } = garbageOf(heap);
  const loop = new TaskLoop({
    port,
    claims: new RunClaims(memory),
    ring: new ResultRing(memory),
    runner: new TaskRunner({ modules, log, workerName, validate, copies }),
    onIdle: () => {
      log.reportDropped();
      heap.idle();
      idleGarbage.idle();
    },
    onRunEnd: (nowMs) => {
      heap.runEnded(nowMs);
      idleGarbage.runEnded();
    },
  });
  captureConsole(log, () => loop.currentKey);
  endThreadOnStrayErrors(post);
  port.on('message', (message: ToThread) => {
    switch (message.type) {
      case 'runs':
        loop.enqueue(unpackRuns(message));
        break;
      case 'abort':
        loop.abort(message.seq, message.reason);
        break;
      case 'take-module':
        modules.take(message.hash, message.bytes);
        break;
      case 'unload-modules':
        modules.unload(message.hashes);
        break;
      case 'collect-garbage':
        void collectOwn().then(() => post({ type: 'done', request: message.request }));
        break;
      case 'drop-copies':
        copies?.drop();
        post({ type: 'done', request: message.request });
        break;
      case 'forget-copies':
        copies?.forget(message.keys);
        break;
    }
  });
  heap.report();
  post({ type: 'ready' });
}

const taskLogOf = (post: (message: FromThread) => void): TaskLog =>
  new TaskLog(
    (key, level, text) => post({ type: 'log', key, level, text }),
    () => performance.now(),
  );

/** Collections of this isolate: when asked for, and when it is idle. */
function garbageOf(heap: HeapReport): { idleGarbage: IdleGarbage; collectOwn: () => Promise<void> } {
  const garbage = new IsolateGarbage({ clock: systemClock, timers: systemTimers });
  const collectOwn = async (): Promise<void> => {
    await garbage.ask();
    heap.report();
    idleGarbage.collected();
  };
  const collect = (): void => void collectOwn();
  const idleGarbage = new IdleGarbage({ timers: systemTimers, occupiedBytes, collect });
  return { idleGarbage, collectOwn };
}

/** Objects, and what is counted outside of the heap for them: buffers, most of all. */
function occupiedBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

/** What user code finds, and does not. */
function prepareGlobals(): void {
  // Threads that start after somebody has collected have it, and it cannot be deleted; user code is not to depend on
  // when that was.
  Reflect.set(globalThis, 'gc', undefined);
  process.setSourceMapsEnabled(true);
  publishCurrentTask();
  publishSizeof();
}

/** The port and the memory are ours: user code that reads `workerData` finds nothing to break. */
function takeSetup(): ThreadSetup {
  const data = workerData as { setup?: ThreadSetup };
  const setup = must(data.setup, 'setup of the task thread: start it through ThreadExecutor');
  delete data.setup;
  return setup;
}

function lowerPriority(): void {
  // Elsewhere than on Linux this is the priority of the whole process, control loop included.
  if (process.platform !== 'linux') return;
  try {
    if (getPriority(0) < USER_CODE_PRIORITY) setPriority(0, USER_CODE_PRIORITY);
  } catch {
    // Not allowed in this container: slower heartbeats beside busy threads, nothing worse.
  }
}

/**
 * A throw outside of any task's call (a timer, an event handler, a promise nobody awaits) leaves the thread in an
 * unknown state: it says so and ends. First among the handlers, as it is set before any user code is loaded.
 */
function endThreadOnStrayErrors(post: (message: FromThread) => void): void {
  process.on('uncaughtException', (thrown, origin) => {
    const raisedBy = currentTasks.getStore()?.key;
    const what = origin === 'unhandledRejection' ? 'Unhandled rejection' : 'Uncaught exception';
    post({ type: 'crash', error: thrownToRemoteError(thrown, what, {}), raisedBy });
    process.exit(1);
  });
}
