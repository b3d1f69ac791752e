import { SeededRandom, type TaskKey, type WorkerId } from '@spillway/kernel';
import { checkAccounting } from './checkers/accounting.js';
import { checkOutcomes } from './checkers/outcomes.js';
import { checkInputs, checkRefusals } from './checkers/refusals.js';
import { checkAtRest, checkEmpty } from './checkers/rest.js';
import { randomFaultPlan, SCALE_DOWNS_ONLY, type FaultPlan } from './faults.js';
import { SimClient } from './sim-client.js';
import { SimLog } from './sim-log.js';
import { SimNanny } from './sim-nanny.js';
import { SimNetwork } from './sim-network.js';
import { CALM_NANNIES, CALM_WORKERS, SimOperator, type RetirementTotals } from './sim-operator.js';
import { SimScheduler } from './sim-scheduler.js';
import { SimTime } from './sim-time.js';
import type { SimWorker } from './sim-worker.js';
import type { SimWorld } from './sim-world.js';

export interface SimulationOptions {
  readonly seed: number;
  /** Simulated milliseconds during which clients work and things go wrong. Default 20,000. */
  readonly ticks?: number;
  /** `scale-downs`: nothing goes wrong, but workers retire, with time enough. Default `everything`. */
  readonly trouble?: 'everything' | 'scale-downs';
}

export interface SimulationReport {
  readonly seed: number;
  readonly steps: number;
  readonly simulatedMs: number;
  readonly graphs: number;
  readonly tasks: number;
  readonly executions: number;
  /** Executions that ended and were of an attempt that had ended before. */
  readonly executedTwice: number;
  readonly workerDeaths: number;
  /** Of workers that were retired in order. */
  readonly retirements: RetirementTotals;
  /** Keys held in the end whose task, or one behind them, was not run because its inputs were too large. */
  readonly refusals: number;
  /** How often each event was logged, by name. */
  readonly events: Readonly<Record<string, number>>;
}

/** A rule was broken. The message says which; the seed replays it. */
export class SimulationFailure extends Error {
  constructor(
    readonly seed: number,
    readonly ticks: number,
    cause: unknown,
  ) {
    super(
      `${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n` +
        `Replay: npm run simulate -- --seed ${seed} --ticks ${ticks}`,
      { cause },
    );
  }
}

const DEFAULT_TICKS = 20_000;
const GRACE_MS = 5_000;
const LEASE_MS = 10_000;
/** After healing everything must have come to an end within this simulated time. */
const LIVENESS_MS = 600_000;
const SETTLE_MS = 15_000;
const FULL_CHECK_EVERY_STEPS = 50;
/** Far more than any run takes: reached only when something goes on for ever without time passing. */
const STEPS_MAX = 3_000_000;

/**
 * A whole cluster in one process under one seed: the real machines and runtimes of scheduler, nannies and workers, with
 * time, network, threads and processes simulated. First things go wrong and nothing wrong may ever happen (safety); then
 * everything is healed and all that was asked for must come to an end (liveness); then everybody leaves and nothing may
 * be left behind.
 */
export class Simulation {
  readonly #world: SimWorld;
  readonly #random: SeededRandom;
  readonly #plan: FaultPlan;
  readonly #nannies: SimNanny[] = [];
  readonly #clients: SimClient[] = [];
  readonly #ticks: number;
  #steps = 0;
  #executions = 0;
  #executedTwice = 0;
  readonly #executedRuns = new Set<string>();
  #workerDeaths = 0;
  #refusals = 0;
  #nannyLives = 0;
  readonly #operator: SimOperator;
  readonly #scheduler: SimScheduler;
  readonly #log = new SimLog();

  constructor(private readonly options: SimulationOptions) {
    const random = new SeededRandom(options.seed);
    this.#random = random;
    this.#ticks = options.ticks ?? DEFAULT_TICKS;
    this.#plan = options.trouble === 'scale-downs' ? SCALE_DOWNS_ONLY : randomFaultPlan(random);
    const time = new SimTime();
    const machineOptions = {
      prefetchMs: random.below(20),
      prefetchCountMax: 1 + random.below(16),
      clientLeaseMs: LEASE_MS,
      commitStepsMax: 1 + random.below(50),
      validate: true,
      seed: random.below(2 ** 31),
    };
    const worldRandom = random.fork();
    const network = new SimNetwork(time, random.fork(), {
      latencyMs: 0.5 + random.next() * 5,
      slowChance: this.#plan.slowChance,
      slowMs: 500,
      graceMs: GRACE_MS,
    });
    const scheduler = new SimScheduler(time, network, this.#log.logger, random.fork(), machineOptions);
    this.#scheduler = scheduler;
    this.#world = {
      time,
      random: worldRandom,
      network,
      logger: this.#log.logger,
      get machine() {
        return scheduler.machine;
      },
      get scheduler() {
        return scheduler.runtime;
      },
      workers: new Map<WorkerId, SimWorker>(),
      faults: { transferFailureChance: this.#plan.transferFailureChance },
      adopts: random.chance(0.8),
      folders: new Map(),
      areValuesSmall: options.trouble === 'scale-downs',
      executed: (key: TaskKey, attempt: number, inputBytes: number) => {
        this.#executions += 1;
        const run = `${key} ${attempt}`;
        if (this.#executedRuns.has(run)) this.#executedTwice += 1;
        this.#executedRuns.add(run);
        checkInputs(key, inputBytes);
      },
    };
    this.#operator = new SimOperator(this.#world, random.fork(), this.#isCalm);
  }

  async run(): Promise<SimulationReport> {
    try {
      this.#startCluster();
      await this.#runUntil(this.#ticks);
      this.#heal();
      // A worker whose memory leaked before is ended after healing, too, and its values are made again.
      let workersBefore: string;
      do {
        await this.#runUntilSettled();
        workersBefore = this.#workerIds;
        await this.#runUntil(this.#world.time.nowMs() + SETTLE_MS);
      } while (!this.#isSettled || workersBefore !== this.#workerIds);
      this.#check();
      checkAtRest(this.#world);
      checkOutcomes(this.#world, this.#clients);
      this.#refusals = checkRefusals(this.#clients);
      for (const client of this.#clients) client.leave();
      await this.#runUntil(this.#world.time.nowMs() + SETTLE_MS + LEASE_MS);
      checkEmpty(this.#world);
    } catch (error) {
      throw new SimulationFailure(this.options.seed, this.#ticks, error);
    }
    return this.#report();
  }

  #startCluster(): void {
    const nannyCount = this.#isCalm ? CALM_NANNIES : 1 + this.#random.below(3);
    for (let i = 0; i < nannyCount; i++) this.#startNanny(i);
    const clientCount = 1 + this.#random.below(3);
    for (let i = 0; i < clientCount; i++) this.#startClient(i);
    this.#plague(this.#plan.schedulerKills, () => this.#scheduler.die());
    this.#plague(this.#plan.workerKills, () => this.#killSomeWorker());
    this.#plague(this.#plan.workerCloses, () => void this.#someWorker()?.end('recycle', 'fault', true));
    this.#plague(this.#plan.retirements, () => this.#operator.retireSome());
    this.#plague(this.#plan.restarts, () => this.#random.pick(this.#nannies)?.restartSome(this.#random));
    this.#plague(this.#plan.nannyStops, () => this.#operator.stopSome(this.#nannies));
    this.#plague(this.#plan.nannyKills, () => this.#killSomeNanny());
    this.#plague(this.#plan.shortCuts, () => this.#cutSomeWorker(this.#random.next() * GRACE_MS * 0.9));
    this.#plague(this.#plan.longCuts, () => this.#cutSomeWorker(GRACE_MS * 2));
    this.#plague(this.#plan.clientCuts, () => this.#cutSomeClient());
    this.#plague(this.#plan.clientVanishes, () => this.#random.pick(this.#clients)?.vanish());
    this.#plague(this.#plan.leaks, () => this.#leakInSomeWorker());
    this.#plague(this.#plan.fullDisks, () => this.#fillSomeDisk());
    this.#plague(this.#plan.damages, () => this.#someWorker()?.disk.damageSome());
    this.#plague(this.#plan.runaways, () => this.#someWorker()?.runAway(0));
  }

  get #isCalm(): boolean {
    return this.options.trouble === 'scale-downs';
  }

  #startNanny(index: number): void {
    const workerCount = this.#isCalm ? CALM_WORKERS : 1 + this.#random.below(3);
    const nanny = new SimNanny(this.#world, `n${index}`, ++this.#nannyLives, workerCount, () => {
      // Its last worker has retired, or it was stopped: the operator starts another.
      this.#world.time.after(1_000, () => this.#startNanny(index));
    });
    this.#nannies[index] = nanny;
    nanny.start();
  }

  #startClient(index: number): void {
    const client = new SimClient(this.#world, this.#random.fork(), `c${index}`);
    this.#clients.push(client);
    void client.connect().then(() => {
      client.submit();
      this.#plague(0.4, () => client.submit());
      this.#plague(0.3, () => void client.scatterSome());
      this.#plague(0.4, () => client.releaseSome());
      this.#plague(0.1, () => client.cancelSome());
      // What is retried takes inputs that were freed, and which are rightly made again.
      if (!this.#isCalm) this.#plague(0.2, () => client.retrySome());
    });
  }

  /** Something that comes again and again, at random moments, until healing. */
  #plague(perSecond: number, strike: () => void): void {
    if (perSecond <= 0) return;
    const next = (): void => {
      this.#world.time.after((this.#random.next() * 2_000) / perSecond, () => {
        if (this.#world.time.nowMs() >= this.#ticks) return;
        strike();
        next();
      });
    };
    next();
  }

  #someWorker(): SimWorker | undefined {
    return this.#random.pick([...this.#world.workers.values()].filter(({ isAlive }) => isAlive));
  }

  #killSomeWorker(): void {
    const worker = this.#someWorker();
    if (worker === undefined) return;
    this.#workerDeaths += 1;
    worker.die({ code: null, signal: 'SIGKILL' });
  }

  #killSomeNanny(): void {
    const index = this.#random.below(this.#nannies.length);
    const nanny = this.#nannies[index];
    // One that has ended is being replaced already.
    if (nanny?.isAlive !== true) return;
    nanny.die();
    this.#world.time.after(1_000, () => this.#startNanny(index));
  }

  #cutSomeWorker(durationMs: number): void {
    const worker = this.#someWorker();
    if (worker !== undefined) this.#world.network.cut(worker.workerId, durationMs);
  }

  #cutSomeClient(): void {
    const client = this.#random.pick(this.#clients);
    if (client !== undefined) this.#world.network.cut(client.clientId, this.#random.next() * GRACE_MS * 0.9);
  }

  /** For a while, or for good: then only a fresh process helps. */
  #leakInSomeWorker(): void {
    const worker = this.#someWorker();
    if (worker === undefined) return;
    const bytes = this.#random.below(8_000);
    worker.memory.leakedBytes += bytes;
    if (this.#random.chance(0.7))
      this.#world.time.after(this.#random.next() * 3_000, () => (worker.memory.leakedBytes -= bytes));
  }

  #fillSomeDisk(): void {
    const worker = this.#someWorker();
    if (worker === undefined) return;
    worker.disk.isFull = true;
    this.#world.time.after(this.#random.next() * 3_000, () => (worker.disk.isFull = false));
  }

  #heal(): void {
    this.#world.faults.transferFailureChance = 0;
    for (const worker of this.#world.workers.values())
      if (worker.isAlive && !worker.isClosing) worker.readAll();
    // What nobody reads before the end must not be damaged then.
    for (const { files } of this.#world.folders.values()) files.mend();
    this.#world.network.heal();
  }

  async #runUntil(untilMs: number): Promise<void> {
    while (this.#world.time.step(untilMs)) await this.#afterStep();
  }

  /** Of the processes that live: nobody may have heard of the latest death. */
  get #workerIds(): string {
    return [...this.#world.workers.keys()].join();
  }

  get #isSettled(): boolean {
    return this.#clients.every(({ isSettled }) => isSettled);
  }

  async #runUntilSettled(): Promise<void> {
    const deadlineMs = this.#world.time.nowMs() + LIVENESS_MS;
    while (!this.#isSettled) {
      if (!this.#world.time.step(deadlineMs))
        throw new Error(`Not settled ${LIVENESS_MS} ms after healing:\n${this.#pending()}`);
      await this.#afterStep();
    }
  }

  async #afterStep(): Promise<void> {
    // Promises that this step settled run to their end before the next step.
    await new Promise((resolve) => setImmediate(resolve));
    this.#operator.check();
    if (++this.#steps % FULL_CHECK_EVERY_STEPS === 0) this.#check();
    if (this.#steps > STEPS_MAX)
      throw new Error(`${STEPS_MAX} steps and no end at ${this.#world.time.nowMs()} ms.`);
  }

  #check(): void {
    this.#world.machine.checkAll();
    for (const { machine, memoryMachine, store, isAlive, isClosing } of this.#world.workers.values()) {
      if (!isAlive || isClosing) continue;
      machine.check();
      memoryMachine.check();
      checkAccounting(memoryMachine, store);
    }
  }

  #pending(): string {
    const { machine } = this.#world;
    return this.#clients
      .flatMap((client) => [...client.wanted].filter(([, known]) => known.state === 'pending'))
      .map(([key]) => `${key}: ${machine.stateOf(key)}\n${this.#storyOf(key)}`)
      .join('\n');
  }

  #storyOf(key: TaskKey): string {
    const line = (who: string) => (entry: { atMs: number; from: string; to: string; stimulusId: string }) =>
      `    ${entry.atMs.toFixed(1)} ${who}: ${entry.from} > ${entry.to} (${entry.stimulusId})`;
    return [
      ...this.#world.machine.storyOf(key).map(line('scheduler')),
      ...[...this.#world.workers.values()].flatMap((worker) =>
        worker.machine.storyOf(key).map(line(worker.workerId)),
      ),
    ].join('\n');
  }

  #report(): SimulationReport {
    const graphs = this.#clients.flatMap((client) => client.graphs);
    return {
      seed: this.options.seed,
      steps: this.#steps,
      simulatedMs: this.#world.time.nowMs(),
      graphs: graphs.length,
      tasks: graphs.reduce((sum, { tasks }) => sum + tasks.length, 0),
      executions: this.#executions,
      executedTwice: this.#executedTwice,
      workerDeaths: this.#workerDeaths,
      retirements: { ...this.#operator.totals },
      refusals: this.#refusals,
      events: this.#log.counts,
    };
  }
}
