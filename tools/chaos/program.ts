/**
 * One program of the cluster as a child process with its log as it comes. Programs end by themselves when the channel to
 * this process breaks, so none outlives the tool, however that ends.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { identify, type ProcessIdentity } from './process-identity.js';

/** One line of a program's log. Fields that are objects (errors) are not looked at. */
export interface LogLine {
  readonly event?: string;
  readonly level?: string;
  readonly msg?: string;
  readonly [field: string]: string | number | boolean | undefined;
}

export interface ProgramExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProgramOptions {
  readonly script: string;
  readonly args: readonly string[];
  readonly environ: NodeJS.ProcessEnv;
  readonly onLine: (line: LogLine) => void;
}

export class Program {
  readonly exited: Promise<ProgramExit>;
  readonly identity: ProcessIdentity | undefined;
  readonly #child: ChildProcess;
  readonly #ready: Promise<string>;

  constructor({ script, args, environ, onLine }: ProgramOptions) {
    this.#child = fork(script, [...args], {
      env: environ,
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.identity = this.#child.pid === undefined ? undefined : identify(this.#child.pid);
    createInterface({ input: this.#child.stdout! }).on('line', (line) => onLine(parseLine(line)));
    createInterface({ input: this.#child.stderr! }).on('line', (msg) => onLine({ level: 'stderr', msg }));
    this.exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve({ code, signal }));
      this.#child.once('error', () => resolve({ code: null, signal: null }));
    });
    this.#ready = new Promise((resolve, reject) => {
      this.#child.on('message', (message) => {
        const { type, address } = message as { readonly type?: string; readonly address?: string };
        if (type === 'ready' && address !== undefined) resolve(address);
      });
      void this.exited.then(({ code, signal }) =>
        reject(new Error(`${args[0]} ended before it was ready: ${signal ?? `exit code ${code}`}`)),
      );
    });
    // Whoever does not wait for it does not want to hear that it ended.
    this.#ready.catch(() => undefined);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Its address, once it serves; rejects when it ends before. */
  ready(): Promise<string> {
    return this.#ready;
  }

  kill(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Asks it to close in order, and kills it when it has not within this time. */
  async close(withinMs: number): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), withinMs);
    await this.exited;
    clearTimeout(timer);
  }
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { level: 'output', msg: line };
  }
}
