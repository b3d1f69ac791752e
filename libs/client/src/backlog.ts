/** Back-pressure of the control stream: who has much to say waits for the scheduler to take it. */
import type { Timers } from '@spillway/ports';
import { pauseFor } from './transfers.js';

/** Said and not yet acknowledged: enough to keep a connection busy, far from where a session is ended for it. */
const BACKLOG_BYTES_MAX = 32 * 1024 * 1024;
/** How long until the backlog is looked at again. Acknowledgements come every 100 ms, or 256 messages. */
const LOOK_AGAIN_MS = 10;

/** `backlogBytes`: what is not acknowledged now; 0 when nobody will ever acknowledge it. Never rejects. */
export async function untilBacklogIsSmall(backlogBytes: () => number, timers: Timers): Promise<void> {
  while (backlogBytes() > BACKLOG_BYTES_MAX) await pauseFor(timers, LOOK_AGAIN_MS);
}
