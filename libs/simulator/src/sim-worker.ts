import { asNannyId, type RunId, type SeededRandom, type TaskKey, type WorkerId } from '@spillway/kernel';
import { PROTOCOL_VERSION, type Payload, type WorkerHello } from '@spillway/messages';
import type { ArrivedValue, GatherOutcome, GatherRequest, PeerLink, TransferControl } from '@spillway/ports';
import { WorkerMachine } from '@spillway/worker-machine';
import { DEFAULT_MEMORY_OPTIONS, GrowthWatch, MemoryMachine } from '@spillway/worker-memory';
import { WorkerMemory, WorkerRuntime } from '@spillway/worker-runtime';
import { TwoTierStore } from '@spillway/worker-store';
import { SimDisk } from './sim-disk.js';
import { SimFolder, type Left } from './sim-folder.js';
import { SimExecutor } from './sim-executor.js';
import { SimMemory } from './sim-memory.js';
import type { ProcessTimers } from './sim-time.js';
import type { SimWorld } from './sim-world.js';

export type ProcessEnd = { readonly code: number | null; readonly signal: string | null };

const SERVING_MAX = 2;
const HEARTBEAT_MS = 1_000;
const PUT_ANNOUNCE_MS = 10_000;
export const LIMIT_BYTES = 10_000;

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
    erredTasksMax: 100,
    storyEntriesMax: 2_000,
    validate: true,
    seed: random.below(2 ** 31),
  });
}

function memoryMachineOf(random: SeededRandom): MemoryMachine {
  const sometimesOff = (fraction: number): number | false => (random.chance(0.1) ? false : fraction);
  return new MemoryMachine({
    ...DEFAULT_MEMORY_OPTIONS,
    limitBytes: LIMIT_BYTES,
    targetFraction: sometimesOff(0.6),
    spillFraction: sometimesOff(0.7),
    pauseFraction: sometimesOff(0.8),
    pauseRecycleMs: 5_000,
    trimBytes: 500,
    recentToOldMs: 2_000,
  });
}

const identityOf = (who: {
  readonly workerId: WorkerId;
  readonly name: string;
  readonly nannyId: string;
  readonly slotCount: number;
}): Omit<WorkerHello, 'holdings'> => ({
  workerId: who.workerId,
  name: who.name,
  nannyId: asNannyId(who.nannyId),
  address: who.workerId,
  nthreads: who.slotCount,
  memoryLimitBytes: LIMIT_BYTES,
  isLimitEnforced: true,
  pid: 1,
  protocol: PROTOCOL_VERSION,
  softwareVersion: 'simulated',
});

/** What its former life left, or a new one. */
function folderOf({ adopts, folders }: SimWorld, name: string): SimFolder {
  const folder = (adopts ? folders.get(name) : undefined) ?? new SimFolder();
  folders.set(name, folder);
  return folder;
}

/** One simulated worker process: the real machines, runtimes and store, on simulated ports. */
export class SimWorker implements PeerLink, TransferControl {
  readonly store: TwoTierStore;
  readonly machine: WorkerMachine;
  readonly memoryMachine: MemoryMachine;
  readonly disk: SimDisk;
  readonly memory: SimMemory;
  readonly #folder: SimFolder;
  readonly #runtime: WorkerRuntime;
  readonly #timers: ProcessTimers;
  readonly #random: SeededRandom;
  #servingCount = 0;
  #servingMax = SERVING_MAX;
  #hasStarted = false;
  isAlive = true;
  isClosing = false;

  constructor(
    private readonly world: SimWorld,
    readonly workerId: WorkerId,
    readonly name: string,
    nannyId: string,
    private readonly tell: (message: object) => void,
    private readonly onExit: (end: ProcessEnd) => void,
  ) {
    const { random, time } = world;
    this.#random = random.fork();
    this.#timers = time.timersOfProcess();
    const slotCount = 1 + this.#random.below(3);
    this.machine = machineOf(workerId, slotCount, this.#random);
    this.memoryMachine = memoryMachineOf(this.#random);
    this.#folder = folderOf(world, name);
    const { files } = this.#folder;
    this.disk = new SimDisk(files, this.#timers, this.#random.fork(), 1 + this.#random.below(200));
    this.store = new TwoTierStore({
      disk: this.disk,
      leavesValues: world.adopts,
      maxSpillBytes: this.#random.chance(0.2) ? 5_000 : false,
      isInUse: (key) => this.memoryMachine.isPinned(key),
      onLost: (keys) => this.#runtime.onValuesLost(keys),
    });
    this.memory = new SimMemory(
      () => this.store.managedBytes,
      () => this.machine.executing(time.nowMs()).length,
      this.#timers,
      this.#random.fork(),
    );
    this.#runtime = new WorkerRuntime({
      machine: this.machine,
      clock: time,
      timers: this.#timers,
      logger: world.logger,
      memory: this.#composeMemory(),
      makeExecutor: (listener) =>
        new SimExecutor(slotCount, this.#timers, this.#random.fork(), listener, (key, attempt, inputBytes) =>
          world.executed(key, attempt, inputBytes),
        ),
      openLink: (hello, listener) =>
        world.network.connect(workerId, listener, (link) => world.scheduler.openWorker(hello(), link)),
      identity: () => identityOf({ workerId, name, nannyId, slotCount }),
      heartbeatIntervalMs: HEARTBEAT_MS,
      onHeartbeat: () => this.tell({ type: 'alive' }),
      measure: () => ({ cpuFraction: 0, loopDelayMs: 0 }),
      loopDelay: () => Promise.resolve({ p50Ms: 0, p99Ms: 0, maxMs: 0 }),
      onEnd: (how, reason, leavesValues = how === 'recycle') => void this.end(how, reason, leavesValues),
    });
  }

  #composeMemory(): WorkerMemory {
    return new WorkerMemory({
      machine: this.memoryMachine,
      store: this.store,
      growthWatch: new GrowthWatch({
        limitBytes: LIMIT_BYTES,
        runawayFraction: 0.9,
        guiltyFraction: 0.25,
        terminateFraction: 0.95,
        growthBytesPerMs: 10,
      }),
      clock: this.world.time,
      timers: this.#timers,
      logger: this.world.logger,
      ownMemory: this.memory,
      malloc: this.memory,
      collectors: [() => this.memory.collect()],
      monitorIntervalMs: 200,
      servingMax: SERVING_MAX,
      explainRefusal: (reason) => reason,
    });
  }

  start(): void {
    this.#hasStarted = true;
    if (this.#folder.left !== undefined) this.#adopt();
    this.#runtime.start(this).then(
      () => this.isAlive && this.tell({ type: 'ready', address: this.workerId }),
      () => this.die({ code: 1, signal: null }),
    );
  }

  #adopt(): void {
    const adopted = this.store.adopt(this.#folder.scan());
    this.world.logger.info({ event: 'worker.adopted', count: adopted.length }, 'adopted');
    this.#runtime.adopt(adopted);
  }

  /** As on SIGTERM to its nanny. */
  retire(reason: string, deadlineMs: number, hasSuccessor: boolean): void {
    if (!this.isAlive || this.isClosing) return;
    const leavesAll = hasSuccessor && this.world.adopts;
    if (!this.#runtime.requestRetirement(reason, deadlineMs, { mayLeave: false, leavesAll }))
      void this.end('closed', reason, leavesAll);
  }

  /** Closes in order, as on a request of the nanny. `hasNextLife`: another starts under its name. */
  async end(
    how: 'recycle' | 'closed' | 'lost' | 'retired',
    reason: string,
    hasNextLife: boolean,
  ): Promise<void> {
    if (!this.isAlive || this.isClosing) return;
    this.isClosing = true;
    const leavesValues = hasNextLife && this.world.adopts;
    if (how === 'recycle') this.tell({ type: 'recycling', reason });
    if (how === 'retired') this.tell({ type: 'retired', reason, leavesValues });
    await this.#runtime.close(reason, leavesValues);
    await this.store.close();
    this.#timers.after(1, () => {
      if (!leavesValues) this.world.folders.delete(this.name);
      this.die({ code: how === 'recycle' ? 75 : 0, signal: null });
    });
  }

  /** The process is gone, in the middle of whatever it did. */
  die(end: ProcessEnd): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    // Else nothing has changed there since the life before.
    if (this.#hasStarted) this.#folder.left = { ...this.#keysByPlace(), unanswered: this.disk.died() };
    this.#timers.stop();
    this.world.network.processDied(this.workerId);
    this.onExit(end);
  }

  #keysByPlace(): Pick<Left, 'onDisk' | 'inRam'> {
    const [onDisk, inRam] = [new Set<TaskKey>(), new Set<TaskKey>()];
    for (const key of this.store.keys()) (this.store.location(key) === 'ram' ? inRam : onDisk).add(key);
    return { onDisk, inRam };
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
        else void peer.serve(keys.map(({ key }) => key)).then(answer);
      });
    });
  }

  forget(): void {
    // A simulated gather ends by itself.
  }

  setServingMax(count: number): void {
    this.#servingMax = count;
  }

  setAcceptingTasks(): void {
    // Nobody asks for the health of a simulated worker.
  }

  collectGarbage(): Promise<void> {
    return Promise.resolve();
  }

  /** What this worker answers to a fetch of a peer. */
  async serve(keys: readonly TaskKey[]): Promise<GatherOutcome> {
    if (this.#servingCount >= this.#servingMax) return { type: 'gather-busy' };
    this.#servingCount += 1;
    this.#timers.after(1, () => (this.#servingCount -= 1));
    const values: ArrivedValue[] = [];
    const missing: TaskKey[] = [];
    for (const key of keys) {
      const payload = await this.#serveOne(key);
      if (payload === undefined) missing.push(key);
      else values.push({ key, payload });
    }
    return { type: 'gather-success', values, missing };
  }

  /** From RAM, or read from where it lies, as the transfer thread does. */
  async #serveOne(key: TaskKey): Promise<Payload | undefined> {
    const served = await this.#runtime.serve(key);
    if (served === undefined || !('path' in served)) return served;
    const payload = this.disk.recordAt(served.path, served.offset);
    served.release();
    if (payload === undefined) this.#runtime.reportUnreadable(served, 'damaged');
    return payload;
  }

  /** Somebody reads everything: what is damaged comes to light. */
  readAll(): void {
    for (const key of [...this.store.keys()]) {
      const read = this.store.openRead(key);
      if (read === undefined) continue;
      const isWhole = this.disk.recordAt(read.path, read.offset) !== undefined;
      read.release();
      if (!isWhole) this.#runtime.reportUnreadable(read, 'damaged');
    }
  }

  /** The value as whoever asks for it would get it; for checks. */
  valueOf(key: TaskKey): Payload | undefined {
    const inRam = this.store.peek(key);
    if (inRam !== undefined) return inRam;
    const read = this.store.openRead(key);
    const payload = read === undefined ? undefined : this.disk.recordAt(read.path, read.offset);
    read?.release();
    return payload;
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
