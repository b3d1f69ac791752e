import { runSpillThread } from '@spillway/worker-store';

/** Entry of the thread that writes values to disk and reads them back. */
runSpillThread();
