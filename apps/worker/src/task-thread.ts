import { runTaskThread } from '@spillway/worker-executor';

/** Entry of a thread that runs user code. */
runTaskThread();
