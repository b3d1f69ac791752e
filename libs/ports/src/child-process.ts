/** How a child ended. `code` is `null` when a signal ended it. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last of what it wrote to stderr, bounded. */
  readonly stderrTail: string;
  /** Set when it could not be started at all. */
  readonly startError?: string;
}

export interface Child {
  readonly pid: number | undefined;
  /** A plain object over the IPC channel; control only, never bulk. */
  send(message: unknown): void;
  signal(name: 'SIGTERM' | 'SIGKILL'): void;
}

export interface SpawnRequest {
  readonly args: readonly string[];
  /** Options of `node` itself, before the program. Default none. */
  readonly execArgv?: readonly string[];
  /** Added to the nanny's own environment; `null` removes a variable. */
  readonly environ: Readonly<Record<string, string | null>>;
  readonly onMessage: (message: unknown) => void;
  readonly onExit: (exit: ChildExit) => void;
}

/** Starts worker processes. Children end when their parent does, however that ends. */
export interface ChildProcesses {
  spawn(request: SpawnRequest): Child;
}
