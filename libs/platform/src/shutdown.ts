/** Why a program was told to end. */
export type ShutdownCause = 'SIGTERM' | 'SIGINT' | 'parent gone';

/**
 * Calls once when this program is told to end: by SIGTERM, by SIGINT, or, if it was forked with an IPC channel, because
 * the parent is gone. A second signal while closing ends the process at once.
 */
export function onShutdown(close: (cause: ShutdownCause) => void): void {
  let isClosing = false;
  const begin = (cause: ShutdownCause): void => {
    if (isClosing) {
      if (cause !== 'parent gone') process.exit(130);
      return;
    }
    isClosing = true;
    close(cause);
  };
  process.on('SIGTERM', () => begin('SIGTERM'));
  process.on('SIGINT', () => begin('SIGINT'));
  process.on('disconnect', () => begin('parent gone'));
  // The parent may be gone before anybody listens.
  if (process.send !== undefined && !process.connected) process.nextTick(() => begin('parent gone'));
}

/**
 * Ends this process although one of its threads may be in a native call, for whose end `process.exit` would wait. There
 * is no exit code then: what the parent shall know of the reason is told before.
 */
export function endAtOnce(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** Tells the parent something, if this program was forked by one. */
export function tellParent(message: object): void {
  if (process.connected) process.send?.(message);
}
