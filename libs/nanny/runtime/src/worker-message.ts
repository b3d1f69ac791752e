/** What a worker tells its nanny over IPC. */
export type WorkerMessage =
  /** Registered with the scheduler and serving at `address`. */
  | { readonly type: 'ready'; readonly address: string }
  /** Its control loop turns. */
  | { readonly type: 'alive' }
  /** It will end by itself so that a fresh one takes its place. */
  | { readonly type: 'recycling'; readonly reason: string };

export function isWorkerMessage(message: unknown): message is WorkerMessage {
  if (typeof message !== 'object' || message === null || !('type' in message)) return false;
  if (message.type === 'ready') return 'address' in message && typeof message.address === 'string';
  if (message.type === 'alive') return true;
  return message.type === 'recycling' && 'reason' in message && typeof message.reason === 'string';
}
