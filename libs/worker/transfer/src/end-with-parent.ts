import type { Timers } from '@spillway/ports';

const LOOK_MS = 100;

/**
 * Ends this process at once when its parent is not the one with this id any more. For a thread beside the main one, whose loop
 * may stand still: then nobody there hears that the IPC channel is closed, and nothing else reaches the process (Node has no
 * PR_SET_PDEATHSIG; users-pains.md section 24, item 20). SIGKILL, as `process.exit` would wait for the threads.
 */
export function endWithParent(parentPid: number, timers: Timers): void {
  timers.every(LOOK_MS, () => {
    if (process.ppid !== parentPid) process.kill(process.pid, 'SIGKILL');
  });
}
