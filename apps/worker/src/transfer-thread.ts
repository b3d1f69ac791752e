import { runTransferThread } from '@spillway/worker-transfer';

/** Entry of the thread that moves values between workers, and to clients. */
runTransferThread();
