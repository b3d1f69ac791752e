/** Runs graphs one after the other in several lanes, and holds some values for all the time; says what is wrong, lost or hangs. */
import { repeat, type Client, type Future } from '@spillway/client';
import { SeededRandom } from '@spillway/kernel';
import type { Reasons } from './deaths.js';
import { GRAPHS, WrongValue, type ChaosTasks } from './graphs.js';
import type { ChaosRecord } from './record.js';

const LANES = 3;
const KEPT_COUNT = 24;
const KEPT_BYTES = 4 * 1024 * 1024;
/** Between two looks at what is held. */
const KEPT_REST_MS = 5_000;
/** So many failures show enough. */
const FAILURES_MAX = 20;
const LOOK_MS = 1_000;
/** As long as things go wrong nobody can say how long a graph takes: whether it hangs is decided from outside. */
const PATIENCE_MS = 24 * 60 * 60_000;

export interface WorkloadOptions {
  readonly client: Client;
  readonly tasks: ChaosTasks;
  readonly seed: number;
  readonly folder: string;
  /** Nothing is right for so long, or a graph after nothing goes wrong any more: it hangs. */
  readonly stallMs: number;
  readonly record: ChaosRecord;
  readonly reasons: Reasons;
  /** Called once, with what is waited for. */
  readonly onHung: (waiting: readonly Future<unknown>[]) => Promise<void>;
}

export class Workload {
  readonly #ending = new AbortController();
  readonly #lanes: readonly Promise<void>[];
  #graphCount = 0;
  #hasHung = false;
  #isAbandoned = false;

  readonly #waiting = new Map<string, readonly Future<unknown>[]>();
  readonly #watch: NodeJS.Timeout;
  #gaveUp: () => void = () => undefined;
  readonly #hangs = new Promise<void>((resolve) => (this.#gaveUp = resolve));

  constructor(private readonly options: WorkloadOptions) {
    this.#watch = setInterval(() => this.#lookForStall(), LOOK_MS);
    const random = new SeededRandom(options.seed);
    this.#lanes = [
      this.#hold(random.fork()),
      ...Array.from({ length: LANES }, () => this.#runLane(random.fork())),
    ];
  }

  /** Resolves when it is over: told so, or because it cannot go on. */
  get over(): Promise<unknown> {
    return Promise.race([this.#hangs, Promise.all(this.#lanes)]);
  }

  /** Resolves when it hangs, after that has been told. */
  get hung(): Promise<void> {
    return this.#hangs;
  }

  /** Graphs that run come to their end, and what is held is looked at once more. */
  end(): void {
    this.#ending.abort();
  }

  /** Resolves when all has come to its end, or hangs: nothing goes wrong any more. Requires: `end` was called. */
  async finish(): Promise<void> {
    const hang = (): void => void this.#hang('what was running', [...this.#waiting.values()].flat());
    const timer = setTimeout(hang, this.options.stallMs);
    await this.over;
    clearTimeout(timer);
  }

  /** The client is about to close: what fails from now on says nothing. */
  abandon(): void {
    this.#isAbandoned = true;
    clearInterval(this.#watch);
    this.#ending.abort();
  }

  #lookForStall(): void {
    const { record, stallMs } = this.options;
    if (this.#hasHung || record.quietMs < stallMs) return;
    void this.#hang('everything', [...this.#waiting.values()].flat());
  }

  get #isEnding(): boolean {
    return this.#ending.signal.aborted;
  }

  async #runLane(random: SeededRandom): Promise<void> {
    const kinds = Object.keys(GRAPHS);
    while (!this.#isEnding) await this.#runGraph(random.pick(kinds)!, random.fork());
  }

  async #runGraph(kind: string, random: SeededRandom): Promise<void> {
    const { client, tasks, folder, record } = this.options;
    const name = `${kind}-${++this.#graphCount}`;
    const startedAtMs = record.nowMs();
    await this.#attempt(name, async (waitsFor) => {
      await GRAPHS[kind]!({
        client,
        tasks,
        random,
        folder,
        name,
        timeoutMs: PATIENCE_MS,
        verified: (count) => record.verified(count),
        ran: (most) => this.#onRan(name, startedAtMs, most),
        waitsFor,
      });
      record.count(record.graphs, kind);
    });
    record.longestGraphMs = Math.max(record.longestGraphMs, record.nowMs() - startedAtMs);
  }

  #onRan(name: string, startedAtMs: number, most: number): void {
    const { record, reasons } = this.options;
    const reruns = reasons.rerunsSince(startedAtMs);
    if (most <= 1 + reruns) return;
    record.find('recomputed', `${name}: a task ran ${most} times, and only ${reruns} things had gone wrong`);
  }

  /** Values that live as long as the tool: what died with one worker has to come from another, from disk, or be made again. */
  async #hold(random: SeededRandom): Promise<void> {
    const { client, tasks, record } = this.options;
    const seeds = Array.from({ length: KEPT_COUNT }, () => random.below(2 ** 30));
    const kept = client.map(tasks.pattern, seeds, repeat(KEPT_BYTES));
    let isLast = false;
    while (!isLast) {
      isLast = this.#isEnding;
      await this.#attempt('held values', async (waitsFor) => {
        const checks = client.map(tasks.isPattern, kept, seeds);
        waitsFor([...kept, ...checks]);
        try {
          const flags = await client.gather(checks, { timeout: PATIENCE_MS });
          const wrongCount = flags.filter((isRight) => !isRight).length;
          if (wrongCount > 0) throw new WrongValue(`${wrongCount} of ${KEPT_COUNT} have other bits`);
          record.verified(KEPT_COUNT);
        } finally {
          client.release(checks);
        }
      });
      if (!isLast) await this.#rest(KEPT_REST_MS);
    }
    client.release(kept);
  }

  async #attempt(
    name: string,
    work: (waitsFor: (futures: readonly Future<unknown>[]) => void) => Promise<void>,
  ): Promise<void> {
    const { record } = this.options;
    try {
      await work((futures) => this.#waiting.set(name, futures));
    } catch (error) {
      if (this.#isAbandoned) return;
      const { code, message } = error as { readonly code?: string; readonly message: string };
      if (error instanceof WrongValue) record.find('wrong', `${name}: ${message}`);
      else record.find('lost', `${name}: ${code ?? (error as Error).name}: ${message}`);
      if (record.findings.length >= FAILURES_MAX) this.#ending.abort();
    } finally {
      this.#waiting.delete(name);
    }
  }

  async #hang(name: string, waiting: readonly Future<unknown>[]): Promise<void> {
    if (this.#hasHung) return;
    this.#hasHung = true;
    const { record, onHung } = this.options;
    const open = waiting.filter(({ done }) => !done);
    record.find(
      'hung',
      `${name}: ${open.length} results do not come, and none was right for ${Math.round(record.quietMs)} ms`,
    );
    this.#ending.abort();
    await onHung(open);
    this.#gaveUp();
  }

  #rest(ms: number): Promise<void> {
    const { signal } = this.#ending;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
