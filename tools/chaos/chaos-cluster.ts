/**
 * A scheduler, nannies and their workers as real processes, with a proxy on each connection that is to break. Knows which
 * process bears which name at the moment, starts again what ends, and leaves nothing behind.
 */
import { createWriteStream, type WriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { variableOf } from '@spillway/config';
import { SeededRandom } from '@spillway/kernel';
import { freePort, TcpProxy } from '@spillway/testkit';
import type { Reasons } from './deaths.js';
import { LINKS, NANNIES, type LinkName, type NannyName } from './plan.js';
import { identify, lives, peakBytes, signal, type ProcessIdentity } from './process-identity.js';
import { Program, type LogLine } from './program.js';
import type { ChaosRecord } from './record.js';
import type { SpillDisk } from './spill-disk.js';

export const LIMIT_MIB = 256;
const LIMIT_BYTES = LIMIT_MIB * 2 ** 20;
/** Low enough for much to be on disk, so that deaths have something to adopt. */
const TARGET = '0.25';
/** Within what a worker may be stopped for, so that some are taken for hung, and others go on. */
const WORKER_TTL = '8s';
/** What ends by itself is started again, as a service manager does. */
const RESTART_MS = 500;
const CLOSE_MS = 15_000;
const GONE_MS = 5_000;
const LOOK_MS = 20;
const LOG_LINES_KEPT = 60;

/** Not where disks are filled. Removed by the scheduler that ends last. */
const JOURNAL = join(tmpdir(), `spillway-chaos-journal-${process.pid}`);

export interface ClusterOptions {
  readonly script: string;
  readonly seed: number;
  readonly record: ChaosRecord;
  readonly reasons: Reasons;
  readonly disk: SpillDisk;
  /** All that the programs write; `undefined`: nowhere. */
  readonly logPath: string | undefined;
}

interface WorkerProcess extends ProcessIdentity {
  readonly workerName: string;
  readonly nanny: NannyName;
}

export class ChaosCluster {
  readonly proxies = new Map<LinkName, TcpProxy>();
  /** By worker id. */
  readonly #workers = new Map<string, WorkerProcess>();
  /** Every process that there ever was, to see at the end that it is gone. */
  readonly #all: ProcessIdentity[] = [];
  readonly #nannies = new Map<NannyName, Program>();
  readonly #aboveLimit = new Set<number>();
  /** Workers that have said that they close, and have not ended yet. */
  readonly #closing = new Set<string>();
  readonly #log: WriteStream | undefined;
  readonly #lastLines: string[] = [];
  #scheduler: Program | undefined;
  #schedulerPort = 0;
  #peerPort = 0;
  #isClosing = false;
  /** Set while the tool keeps the scheduler down itself. */
  #isSchedulerDown = false;
  readonly #watch: NodeJS.Timeout;

  constructor(private readonly options: ClusterOptions) {
    this.#log = options.logPath === undefined ? undefined : createWriteStream(options.logPath);
    this.#watch = setInterval(() => this.#lookAtMemory(), LOOK_MS);
  }

  async start(): Promise<void> {
    this.#schedulerPort = await freePort();
    this.#peerPort = await freePort();
    const random = new SeededRandom(this.options.seed);
    for (const link of LINKS) {
      const port = link === 'peers-of-c' ? this.#peerPort : this.#schedulerPort;
      const chance = random.fork();
      this.proxies.set(link, await TcpProxy.to(`127.0.0.1:${port}`, { random: () => chance.next() }));
    }
    await this.startScheduler();
    await Promise.all((Object.keys(NANNIES) as NannyName[]).map((name) => this.#startNanny(name).ready()));
  }

  /** Where the client connects to. */
  get address(): string {
    return this.proxies.get('client')!.address;
  }

  /** Past all proxies, for questions when something hangs. */
  get directAddress(): string {
    return `127.0.0.1:${this.#schedulerPort}`;
  }

  /** The last lines of all programs. */
  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  worker(workerName: string): WorkerProcess | undefined {
    return [...this.#workers.values()].findLast((one) => one.workerName === workerName && lives(one));
  }

  /** Kills it with its workers, as they do not outlive it, and starts another after this time. */
  killNanny(name: NannyName): readonly WorkerProcess[] {
    const workers = [...this.#workers.values()].filter((one) => one.nanny === name && lives(one));
    for (const { pid } of workers) this.options.reasons.killed(pid, this.options.record.nowMs());
    this.#nannies.get(name)?.kill('SIGKILL');
    return workers;
  }

  isNannyUp(name: NannyName): boolean {
    return this.#nannies.has(name);
  }

  restartNanny(name: NannyName): void {
    if (this.#isClosing || this.#nannies.has(name)) return;
    const atMs = this.options.record.nowMs();
    void this.#startNanny(name)
      .ready()
      .then(
        () =>
          this.options.record.say(
            `nanny ${name} is back with its workers after ${Math.round(this.options.record.nowMs() - atMs)} ms`,
          ),
        () => undefined,
      );
  }

  killScheduler(): void {
    this.#isSchedulerDown = true;
    this.#scheduler?.kill('SIGKILL');
  }

  async startScheduler(): Promise<void> {
    this.#isSchedulerDown = false;
    const args = [
      'scheduler',
      '--port',
      `${this.#schedulerPort}`,
      '--http-port',
      'false',
      '--journal',
      JOURNAL,
    ];
    const scheduler = this.#spawn('scheduler', [...args, '--validate', 'true'], {});
    this.#scheduler = scheduler;
    void scheduler.exited.then(({ code, signal: name }) => {
      if (this.#isClosing || this.#isSchedulerDown) return;
      this.options.record.find('lost', `the scheduler has ended by itself: ${name ?? `exit code ${code}`}`);
    });
    await scheduler.ready();
  }

  /** Ends everything; says what is still there after that, having killed it. */
  async close(): Promise<readonly string[]> {
    this.#isClosing = true;
    this.options.reasons.isShuttingDown = true;
    for (const proxy of this.proxies.values()) proxy.heal();
    // What is stopped cannot close.
    for (const one of this.#workers.values()) signal(one, 'SIGCONT');
    await Promise.all([...this.#nannies.values()].map((nanny) => nanny.close(CLOSE_MS)));
    await this.#scheduler?.close(CLOSE_MS);
    for (const proxy of this.proxies.values()) await proxy[Symbol.asyncDispose]();
    const left = await this.#whatIsLeft();
    clearInterval(this.#watch);
    this.#log?.end();
    return left;
  }

  /** At once, for when there is no time to wait. */
  killAll(): void {
    for (const one of this.#all) signal(one, 'SIGKILL');
  }

  async #whatIsLeft(): Promise<readonly string[]> {
    const untilMs = performance.now() + GONE_MS;
    while (this.#all.some(lives) && performance.now() < untilMs)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    return this.#all.filter((one) => signal(one, 'SIGKILL')).map(({ pid }) => `process ${pid}`);
  }

  #startNanny(name: NannyName): Program {
    const { workers, nthreads } = NANNIES[name];
    const args = ['nanny', this.proxies.get(name)!.address, '--name', name, '--workers', `${workers}`];
    const nanny = this.#spawn(
      name,
      [...args, '--nthreads', `${nthreads}`, '--memory-limit', `${LIMIT_MIB} MiB`],
      {
        ...this.options.disk.settings,
        // Deaths come more often here than any worker could be blamed for.
        'nanny.quarantine.deaths': 'false',
        'worker.local-directory': this.options.disk.folder,
        'worker.memory.target': TARGET,
        'nanny.worker-ttl': WORKER_TTL,
        ...(name === 'c'
          ? {
              'worker.port': `${this.#peerPort}`,
              'worker.contact-address': this.proxies.get('peers-of-c')!.address,
            }
          : {}),
      },
    );
    this.#nannies.set(name, nanny);
    void nanny.exited.then(({ code, signal: signalName }) => {
      if (this.#nannies.get(name) === nanny) this.#nannies.delete(name);
      if (this.#isClosing || signalName === 'SIGKILL') return;
      const { record, reasons } = this.options;
      record.say(`nanny ${name} has ended by itself (${signalName ?? `exit code ${code}`})`);
      if (!reasons.wasSilenced(name, record.nowMs()))
        record.find(
          'unexplained-death',
          `nanny ${name} ended although nothing was wrong with its connection`,
        );
      setTimeout(() => this.restartNanny(name), RESTART_MS);
    });
    return nanny;
  }

  #spawn(instance: string, args: readonly string[], settings: Readonly<Record<string, string>>): Program {
    const variables = Object.entries(settings).map(([path, value]) => [variableOf(path), value] as const);
    const environ = { ...process.env, ...Object.fromEntries(variables), NODE_OPTIONS: '' };
    delete (environ as NodeJS.ProcessEnv)['NODE_EXTRA_CA_CERTS'];
    const program = new Program({
      script: this.options.script,
      args,
      environ,
      onLine: (line) => this.#onLine(instance, line),
    });
    if (program.identity !== undefined) this.#all.push(program.identity);
    return program;
  }

  #onLine(instance: string, line: LogLine): void {
    const text = `${instance} ${JSON.stringify(line)}`;
    this.#log?.write(`${Math.round(this.options.record.nowMs())} ${text}\n`);
    this.#lastLines.push(text);
    if (this.#lastLines.length > LOG_LINES_KEPT) this.#lastLines.shift();
    const { record } = this.options;
    if (line.event === 'worker.spawned') this.#onSpawned(instance as NannyName, line);
    else if (line.event === 'worker.closing') this.#closing.add(String(line['instance']));
    else if (line.event === 'worker.exited') this.#onExited(instance as NannyName, line);
    else if (line.event === 'worker.ready' && line['startMs'] !== undefined)
      record.say(`worker ${line['worker']} registered (${line['startMs']} ms)`);
    else if (line.event === 'task.recomputed') record.recomputedCount += Number(line['count'] ?? 1);
    else if (line.event === 'worker.adopted') {
      record.adoptedCount += Number(line['count'] ?? 0);
      record.say(`worker ${line['instance']} adopted ${line['count']} spilled values`);
    } else if (line.event === 'worker.lost' && !this.#isClosing)
      record.say(`scheduler lost ${line['name']}: ${line['summary']}`);
    else if (line['code'] === 'INVARIANT' || line['code'] === 'INVALID_TRANSITION')
      record.find('wrong', `${instance}: ${line.msg}`);
  }

  #onSpawned(nanny: NannyName, line: LogLine): void {
    const identity = identify(Number(line['pid']));
    if (identity === undefined) return;
    this.#all.push(identity);
    this.#closing.delete(String(line['worker']));
    this.#workers.set(String(line['workerId']), { ...identity, workerName: String(line['worker']), nanny });
  }

  #onExited(nanny: NannyName, line: LogLine): void {
    const { record, reasons } = this.options;
    const workerId = String(line['workerId']);
    const pid = this.#workers.get(workerId)?.pid ?? 0;
    this.#workers.delete(workerId);
    if (this.#isClosing) return;
    const cause = String(line['cause']);
    record.count(record.deaths, cause);
    record.say(`nanny ${nanny}: ${line.msg}`);
    const nowMs = record.nowMs();
    reasons.disturbed(nowMs);
    // One that could not reach the scheduler closes in order, and says so with an exit code of its own.
    const didClose = this.#closing.delete(String(line['worker'])) && cause === 'exit-code';
    if (!reasons.explains(didClose ? 'closed' : cause, { nanny, pid, nowMs }))
      record.find('unexplained-death', String(line.msg));
  }

  /** The kernel keeps the peak, so no look is too late as long as the process is there. */
  #lookAtMemory(): void {
    const { record } = this.options;
    for (const one of this.#workers.values()) {
      const bytes = peakBytes(one) ?? 0;
      record.peaks.set(one.workerName, Math.max(record.peaks.get(one.workerName) ?? 0, bytes));
      if (bytes <= LIMIT_BYTES || this.#aboveLimit.has(one.pid)) continue;
      this.#aboveLimit.add(one.pid);
      record.find(
        'above-limit',
        `worker ${one.workerName} (pid ${one.pid}) came to ${Math.round(bytes / 2 ** 20)} MiB of ${LIMIT_MIB}`,
      );
    }
  }
}
