/** Processes of tests: looked at, waited for, and programs of the command started beside a local cluster. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

/** The command as people and service managers use it. */
export const SPILLWAY = join(
  dirname(createRequire(import.meta.url).resolve('@spillway/cli/package.json')),
  'bundle',
  'spillway.mjs',
);

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** For what gives no event, such as the end of somebody else's child: looks again until it is so; the test's timeout is the bound. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** One line of a program's log. */
export interface LogLine {
  readonly event?: string;
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A program with its log as it comes; killed at the end of the test if it still runs. */
export class Program implements AsyncDisposable {
  readonly log: LogLine[] = [];
  /** What it wrote that is no log line. */
  readonly output: string[] = [];
  readonly ended: Promise<number | string>;
  readonly #child: ChildProcess;
  #onLine: () => void = () => undefined;

  constructor(args: readonly string[], environ: Readonly<Record<string, string>> = {}) {
    // A scheduler that is killed at the end of a test must leave nothing for the next one on its port.
    const env = { ...process.env, NODE_OPTIONS: '', SPILLWAY_SCHEDULER__JOURNAL: 'false', ...environ };
    this.#child = spawn(process.execPath, [...args], { stdio: ['ignore', 'pipe', 'inherit'], env });
    this.ended = once(this.#child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      if (line.startsWith('{')) this.log.push(JSON.parse(line) as LogLine);
      else this.output.push(line);
      this.#onLine();
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The first log line for which this holds. Rejects when the program ends without one. */
  async line(holds: (line: LogLine) => boolean): Promise<LogLine> {
    const ended = this.ended.then(() => true);
    for (;;) {
      const found = this.log.find(holds);
      if (found !== undefined) return found;
      const isOver = await Promise.race([
        ended,
        new Promise<false>((resolve) => (this.#onLine = () => resolve(false))),
      ]);
      if (isOver && !this.log.some(holds))
        throw new Error(`The program has ended: ${JSON.stringify(this.log.at(-1))}`);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}
