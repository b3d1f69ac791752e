/** A scheduler that can be killed and started again, with two workers under a nanny. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect, type Client } from '@spillway/client';
import { programFiles } from '@spillway/platform';
import { freePort } from '@spillway/testkit';

interface LogLine {
  readonly event?: string;
  readonly [field: string]: unknown;
}

export class RestartableCluster implements AsyncDisposable {
  #scheduler: ChildProcess | undefined;
  #nanny: ChildProcess | undefined;
  #waiting: { readonly event: string; readonly resolve: (line: LogLine) => void }[] = [];

  private constructor(
    readonly folder: string,
    private readonly port: number,
    private readonly journal: string,
  ) {}

  static async start({ hasJournal }: { readonly hasJournal: boolean }): Promise<RestartableCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'spillway-bench-'));
    const journal = hasJournal ? join(folder, 'journal') : 'false';
    const cluster = new RestartableCluster(folder, await freePort(), journal);
    await cluster.startScheduler();
    cluster.#nanny = program(['nanny', cluster.address, '--workers', '2', '--nthreads', '1', '--port', '0']);
    await using client = await connect(cluster.address);
    await client.waitForWorkers(2);
    return cluster;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  connect(): Promise<Client> {
    return connect(this.address);
  }

  /** Resolves when it serves. */
  async startScheduler(): Promise<void> {
    const args = [
      'scheduler',
      '--port',
      String(this.port),
      '--http-port',
      'false',
      '--journal',
      this.journal,
    ];
    const child = program(args, 'info');
    this.#scheduler = child;
    createInterface({ input: child.stdout! }).on('line', (text) => this.#onLine(text));
    await this.line('scheduler.ready');
  }

  async kill(): Promise<void> {
    const child = this.#scheduler!;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** The next line with this event that the scheduler logs. */
  line(event: string): Promise<LogLine> {
    return new Promise((resolve) => this.#waiting.push({ event, resolve }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [this.#nanny, this.#scheduler]) {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  #onLine(text: string): void {
    if (!text.startsWith('{')) return;
    const line = JSON.parse(text) as LogLine;
    const done = this.#waiting.filter(({ event }) => event === line.event);
    this.#waiting = this.#waiting.filter(({ event }) => event !== line.event);
    for (const { resolve } of done) resolve(line);
  }
}

function program(args: readonly string[], logLevel = 'error'): ChildProcess {
  const { NODE_EXTRA_CA_CERTS: _dropped, ...environ } = process.env;
  const env = {
    ...environ,
    NODE_OPTIONS: '',
    SPILLWAY_LOG__LEVEL: logLevel,
    SPILLWAY_WORKER__MEMORY__LIMIT: '1 GiB',
  };
  return spawn(process.execPath, [programFiles().spillway, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  });
}
