export { runTransferThread } from './run-transfer-thread.js';
export { TransferThread, type TransferThreadOptions } from './transfer-thread.js';
