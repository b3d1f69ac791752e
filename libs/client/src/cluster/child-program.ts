/**
 * One program of a local cluster as a child process: started, waited for until it serves, and ended in order. Such
 * programs end by themselves when the IPC channel to this process breaks, however this process ended.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { ProgramStartError } from '@spillway/kernel';
import { TextTail } from './text-tail.js';

export interface ChildProgramOptions {
  /** For messages: what was started. */
  readonly title: string;
  /** Path of the script. */
  readonly program: string;
  readonly args: readonly string[];
  readonly environ: NodeJS.ProcessEnv;
  /** Called with each piece that the program writes, as it comes. */
  readonly onOutput: (text: string) => void;
}

/** What a program says once it serves. */
export interface ReadyMessage {
  readonly type: 'ready';
  readonly address: string;
}

interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** What is kept of the output, for the message when the program ends before it serves. */
const OUTPUT_TAIL_LENGTH = 4_000;

export class ChildProgram {
  readonly #child: ChildProcess;
  readonly #title: string;
  readonly #output = new TextTail(OUTPUT_TAIL_LENGTH);
  readonly #exited: Promise<Exit>;
  #startError: Error | undefined;
  #isReady = false;

  constructor(options: ChildProgramOptions) {
    this.#title = options.title;
    this.#child = fork(options.program, [...options.args], {
      env: options.environ,
      // Flags of this process (a loader, an inspector's port, a heap limit) are not meant for the programs.
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8');
      stream?.on('data', (text: string) => {
        this.#output.add(text);
        options.onOutput(text);
      });
    }
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve({ code, signal }));
      this.#child.on('error', (error) => {
        this.#startError = error;
        if (this.#child.pid === undefined) resolve({ code: null, signal: null });
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The last of what the program wrote; empty when it wrote nothing. */
  get lastWords(): string {
    return this.#output.text.trim();
  }

  /** Resolves when the program serves. Rejects with `ProgramStartError` when it ends before that. */
  ready(signal: AbortSignal): Promise<ReadyMessage> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const finish = (): void => {
        this.#child.off('message', onMessage);
        signal.removeEventListener('abort', onAbort);
      };
      const onMessage = (message: unknown): void => {
        if (!isReady(message)) return;
        finish();
        this.#isReady = true;
        resolve(message);
      };
      const onAbort = (): void => {
        finish();
        // The reason is the caller's own and is kept as it is.
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        reject(signal.reason);
      };
      this.#child.on('message', onMessage);
      signal.addEventListener('abort', onAbort, { once: true });
      void this.#exited.then((exit) => {
        finish();
        reject(this.#endedEarly(exit));
      });
    });
  }

  /** Asks the program to close; when it has not within the time, it is killed. Resolves once it is gone. */
  async close(closeTimeoutMs: number): Promise<void> {
    // A program that serves closes in order when the channel breaks, one that is still starting hears only signals.
    // Never both: a program that is told twice to end gives up closing in order.
    if (!this.#isReady) this.#child.kill('SIGTERM');
    else if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), closeTimeoutMs);
    await this.#exited;
    clearTimeout(timer);
  }

  #endedEarly({ code, signal }: Exit): ProgramStartError {
    const how =
      this.#startError?.message ?? (signal === null ? `with exit code ${code ?? 'unknown'}` : `by ${signal}`);
    const output = this.lastWords;
    return new ProgramStartError(
      `The ${this.#title} ended while it was starting, ${how}. ` +
        (output === '' ? 'It wrote nothing.' : `The last of what it wrote:\n${output}`),
      {
        details: { program: this.#title, exitCode: `${code ?? ''}`, signal: signal ?? '' },
        ...(this.#startError === undefined ? {} : { cause: this.#startError }),
      },
    );
  }
}

function isReady(message: unknown): message is ReadyMessage {
  return (
    typeof message === 'object' &&
    message !== null &&
    (message as Partial<ReadyMessage>).type === 'ready' &&
    typeof (message as Partial<ReadyMessage>).address === 'string'
  );
}
