export { ThreadExecutor, type ThreadExecutorOptions } from './thread-executor.js';
export { runTaskThread } from './thread-side/run-task-thread.js';
