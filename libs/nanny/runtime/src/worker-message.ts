/** What a worker tells its nanny over IPC. */
export type WorkerMessage =
  /** Registered with the scheduler and serving at `address`. */
  | { readonly type: 'ready'; readonly address: string }
  /** Its control loop turns. */
  | { readonly type: 'alive' }
  /** It will end by itself so that a fresh one takes its place. */
  | { readonly type: 'recycling'; readonly reason: string }
  /** It has been retired and ends; nothing takes its place. `leavesValues`: what it has on disk is for a later life of the nanny. */
  | { readonly type: 'retired'; readonly reason: string; readonly leavesValues: boolean };

export function isWorkerMessage(message: unknown): message is WorkerMessage {
  if (typeof message !== 'object' || message === null || !('type' in message)) return false;
  if (message.type === 'ready') return 'address' in message && typeof message.address === 'string';
  if (message.type === 'alive') return true;
  if (message.type === 'retired')
    return (
      'reason' in message &&
      typeof message.reason === 'string' &&
      'leavesValues' in message &&
      typeof message.leavesValues === 'boolean'
    );
  return message.type === 'recycling' && 'reason' in message && typeof message.reason === 'string';
}
