import { asNannyId, type RunId, type SeededRandom, type TaskKey, type WorkerId } from '@spillway/kernel';
import { PROTOCOL_VERSION } from '@spillway/messages';
import type { ArrivedValue, GatherOutcome, GatherRequest, PeerLink } from '@spillway/ports';
import { WorkerMachine } from '@spillway/worker-machine';
import { WorkerRuntime } from '@spillway/worker-runtime';
import { RamStore } from '@spillway/worker-store';
import { SimExecutor } from './sim-executor.js';
import type { ProcessTimers } from './sim-time.js';
import type { SimWorld } from './sim-world.js';

export type ProcessEnd = { readonly code: number | null; readonly signal: string | null };

const SERVING_MAX = 2;
const HEARTBEAT_MS = 1_000;
const PUT_ANNOUNCE_MS = 10_000;

/** With small limits, so that a few tasks reach them. */
function machineOf(workerId: WorkerId, slotCount: number, random: SeededRandom): WorkerMachine {
  return new WorkerMachine({
    workerId,
    slotCount,
    transferBytesMax: 500,
    gatherMessageBytesMax: 300,
    gatherPeersMax: 3,
    busyRestMs: 150,
    peerFailuresMax: random.below(5),
    handOverMs: 5,
    handOverCountMax: 8,
    whoHasRetryMs: 1_000,
    putAnnounceMs: PUT_ANNOUNCE_MS,
    pauseReturnMs: 1_000,
    erredTasksMax: 100,
    storyEntriesMax: 2_000,
    validate: true,
    seed: random.below(2 ** 31),
  });
}

/** One simulated worker process: the real machine and runtime, on simulated ports. */
export class SimWorker implements PeerLink {
  readonly store = new RamStore();
  readonly machine: WorkerMachine;
  readonly #runtime: WorkerRuntime;
  readonly #timers: ProcessTimers;
  readonly #random: SeededRandom;
  #servingCount = 0;
  isAlive = true;

  constructor(
    private readonly world: SimWorld,
    readonly workerId: WorkerId,
    name: string,
    nannyId: string,
    private readonly tell: (message: object) => void,
    private readonly onExit: (end: ProcessEnd) => void,
  ) {
    const { random, time } = world;
    this.#random = random.fork();
    this.#timers = time.timersOfProcess();
    const slotCount = 1 + this.#random.below(3);
    this.machine = machineOf(workerId, slotCount, this.#random);
    this.#runtime = new WorkerRuntime({
      machine: this.machine,
      clock: time,
      timers: this.#timers,
      logger: world.logger,
      store: this.store,
      makeExecutor: (listener) =>
        new SimExecutor(slotCount, this.#timers, this.#random.fork(), listener, (key) => world.executed(key)),
      openLink: (hello, listener) =>
        world.network.connect(workerId, listener, (link) => world.scheduler.openWorker(hello(), link)),
      identity: () => ({
        workerId,
        name,
        nannyId: asNannyId(nannyId),
        address: workerId,
        nthreads: slotCount,
        memoryLimitBytes: 10_000,
        pid: 1,
        protocol: PROTOCOL_VERSION,
        softwareVersion: 'simulated',
      }),
      heartbeatIntervalMs: HEARTBEAT_MS,
      measure: () => ({
        processBytes: 0,
        managedBytes: this.store.managedBytes,
        cpuFraction: 0,
        loopDelayMs: 0,
      }),
      onEnd: (how, reason) => void this.end(how, reason),
    });
  }

  start(): void {
    this.#runtime.start(this).then(
      () => this.isAlive && this.tell({ type: 'ready', address: this.workerId }),
      () => this.die({ code: 1, signal: null }),
    );
  }

  /** Closes in order, as on a request of the nanny. */
  async end(how: 'recycle' | 'closed' | 'lost', reason: string): Promise<void> {
    if (!this.isAlive) return;
    if (how === 'recycle') this.tell({ type: 'recycling', reason });
    await this.#runtime.close(reason);
    this.#timers.after(1, () => this.die({ code: how === 'recycle' ? 75 : 0, signal: null }));
  }

  /** The process is gone, in the middle of whatever it did. */
  die(end: ProcessEnd): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#timers.stop();
    this.world.network.processDied(this.workerId);
    this.onExit(end);
  }

  /** A client puts a value here. */
  accept(value: ArrivedValue): Promise<void> {
    return this.#runtime.accept(value);
  }

  gather({ address, keys }: GatherRequest): Promise<GatherOutcome> {
    return new Promise((resolve) => {
      const answer = (outcome: GatherOutcome): void => {
        this.#timers.after(this.world.network.delayMs(), () => resolve(outcome));
      };
      this.#timers.after(this.world.network.delayMs(), () => {
        const peer = this.world.workers.get(address as WorkerId);
        if (peer?.isAlive !== true || this.#random.chance(this.world.faults.transferFailureChance))
          answer({ type: 'gather-network-failure', values: [], message: 'The peer is gone.' });
        else answer(peer.serve(keys.map(({ key }) => key)));
      });
    });
  }

  forget(): void {
    // A simulated gather ends by itself.
  }

  /** What this worker answers to a fetch of a peer. */
  serve(keys: readonly TaskKey[]): GatherOutcome {
    if (this.#servingCount >= SERVING_MAX) return { type: 'gather-busy' };
    this.#servingCount += 1;
    this.#timers.after(1, () => (this.#servingCount -= 1));
    const held = keys.filter((key) => this.store.has(key));
    return {
      type: 'gather-success',
      values: held.map((key) => ({ key, payload: this.store.peek(key)! })),
      missing: keys.filter((key) => !this.store.has(key)),
    };
  }

  /** Sends what the worker's pressure monitor would send. */
  setStatus(status: 'running' | 'paused'): void {
    this.#runtime.dispatch({ type: 'status-change', stimulusId: this.#runtime.stimulus('status'), status });
  }

  /** As if the task a slot runs had driven the process to its limit. */
  runAway(slot: number): void {
    const stimulusId = this.#runtime.stimulus('growth');
    this.#runtime.dispatch({
      type: 'runaway-growth',
      stimulusId,
      slot,
      processBytes: 9_500,
      limitBytes: 10_000,
    });
  }

  get runningRuns(): readonly RunId[] {
    return this.machine.executing(this.world.time.nowMs()).map(({ runId }) => runId);
  }
}
