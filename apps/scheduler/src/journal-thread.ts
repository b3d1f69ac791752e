import { runCompactionThread } from '@spillway/scheduler-journal';

/** Entry of the thread that makes the journal smaller. */
await runCompactionThread();
