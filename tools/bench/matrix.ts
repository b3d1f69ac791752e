/**
 * k of n workers leak until they are paused, × what the disk does × what is held, while a graph runs: each cell has to end in the right
 * result or in a typed error. A cell that ends in neither is HANG, and a defect; what its cluster said is on stderr.
 */
import type { Client, Future } from '@spillway/client';
import type { Figure } from './bench.js';
import type * as Tasks from './matrix.tasks.js';
import { describeError, groupsOf, range, told } from './told.js';
import { WatchedCluster } from './watched-cluster.js';

const MiB = 2 ** 20;
const WORKERS = 3;
const LIMIT_BYTES = 256 * MiB;
/** Above pause (0.8), below terminate (0.95). */
const LEAK_FRACTION = 0.87;
const LEAVES = 60;
const LEAF_LENGTH = 655_360;
const FAN_IN = 4;
const CELL_MS = 120_000;
const LOOK_MS = 250;
const LOG_LINES_OF_HANG = 80;

const SHORT = {
  'worker.memory.pause-recycle': '3s',
  'scheduler.memory-stuck-timeout': '5s',
  'worker.memory.monitor-interval': '100ms',
  'scheduler.heartbeat-interval': '200ms',
};

const DISKS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'spill on': {},
  'spill off': { 'worker.memory.spill': false, 'worker.memory.target': false },
  'disk refuses': { 'worker.memory.max-spill': '4 MiB' },
};

interface Outcome {
  readonly what: 'success' | 'error' | 'WRONG' | 'HANG';
  readonly detail: string;
  readonly seconds: number;
  /** From the last visible change to the end. */
  readonly quietSeconds: number;
}

/** `npm run bench -- matrix`. One cell takes some 20 s, so each is told when it is done. */
export async function* leakMatrix(): AsyncGenerator<Figure> {
  for (const isHeld of [false, true])
    for (const [disk, settings] of Object.entries(DISKS))
      for (const leaking of range(WORKERS + 1)) {
        const what = `${disk}, ${isHeld ? 'all held, ' : ''}${leaking} of ${WORKERS} leak`;
        yield* await told(what, async () => [await runCell({ what, settings, leaking, isHeld })]);
      }
}

interface Cell {
  readonly what: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** How many workers leak. */
  readonly leaking: number;
  /** The client holds every value, so that they do not fit into the workers' memory; else only the end of the graph. */
  readonly isHeld: boolean;
}

async function runCell(cell: Cell): Promise<Figure> {
  await using watched = await WatchedCluster.start({
    workers: WORKERS,
    memoryLimit: LIMIT_BYTES,
    settings: { ...SHORT, ...cell.settings },
  });
  const outcome = await outcomeOf(watched, cell);
  if (outcome.what === 'HANG') await explain(cell.what, watched);
  const { what, detail, seconds, quietSeconds } = outcome;
  return {
    what: cell.what,
    value: seconds,
    unit: 's',
    how:
      `${what}${detail === '' ? '' : ` ${detail}`}; ${quietSeconds.toFixed(1)} s after the last change; ` +
      `paused ${watched.count('worker', 'worker.paused')}, recycled ${watched.count('worker', 'worker.recycling')}, ` +
      `ended ${watched.endedCount}, drained ${watched.count('scheduler', 'cluster.draining')}`,
  };
}

async function outcomeOf(watched: WatchedCluster, cell: Cell): Promise<Outcome> {
  const { client } = watched;
  const startedAt = performance.now();
  const changes = new ChangeWatch(client);
  const root = await submitAll(client, cell);
  let ended: Pick<Outcome, 'what' | 'detail'>;
  try {
    const result = await root.result({ timeout: CELL_MS });
    ended = result === EXPECTED ? { what: 'success', detail: '' } : { what: 'WRONG', detail: `${result}` };
  } catch (error) {
    const code = (error as { code?: string }).code;
    const what = root.done && code !== undefined ? 'error' : 'HANG';
    ended = { what, detail: describeError(error) };
  }
  const endedAt = performance.now();
  const changedAt = changes.stop();
  return {
    ...ended,
    seconds: (endedAt - startedAt) / 1000,
    quietSeconds: (endedAt - changedAt) / 1000,
  };
}

/** The graph, and leaks that go first on their workers. */
async function submitAll(client: Client, { leaking, isHeld }: Cell): Promise<Future<number>> {
  const tasks = await client.load<typeof Tasks>(new URL('./matrix.tasks.ts', import.meta.url));
  const seeds = range(LEAVES);
  const leaves = client.map(
    tasks.leaf,
    seeds,
    seeds.map(() => LEAF_LENGTH),
  );
  const nodes: Future<Float64Array>[] = [...leaves];
  let level: Future<Float64Array>[] = leaves;
  while (level.length > 1) {
    level = client.map(tasks.add, groupsOf(FAN_IN, level));
    nodes.push(...level);
  }
  const root = client.submit(tasks.sum, level[0]!);
  if (!isHeld) client.release(nodes);
  for (const { name } of (await client.workers()).slice(0, leaking)) {
    const leak = client.with({ workers: [name], priority: 10 });
    const future = leak.submit(tasks.leakUntil, LEAK_FRACTION * LIMIT_BYTES);
    // Held, it would be computed again on the fresh worker.
    void client.wait([future]).then(
      () => future.release(),
      () => undefined,
    );
  }
  return root;
}

const EXPECTED = range(LEAVES).reduce((total, seed) => {
  for (let index = 0; index < LEAF_LENGTH; index++) total += (seed * 31 + index) % 1009;
  return total;
}, 0);

/** Notes when the workers last looked different: other workers, statuses, numbers of tasks or of keys. */
class ChangeWatch {
  #changedAt = performance.now();
  #last = '';
  #isStopped = false;

  constructor(client: Client) {
    void this.#watch(client).catch(() => undefined);
  }

  /** Gives the time of the last change. */
  stop(): number {
    this.#isStopped = true;
    return this.#changedAt;
  }

  async #watch(client: Client): Promise<void> {
    while (!this.#isStopped) {
      const workers = await client.workers();
      const now = workers
        .map(({ workerId, status, processingCount, keyCount }) =>
          [workerId, status, processingCount, keyCount].join(),
        )
        .join(' ');
      if (now !== this.#last) this.#changedAt = performance.now();
      this.#last = now;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}

async function explain(cell: string, watched: WatchedCluster): Promise<void> {
  const workers = await watched.client.workers();
  const lines = watched.log.trimEnd().split('\n').slice(-LOG_LINES_OF_HANG);
  process.stderr.write(`${cell} hangs.\n${JSON.stringify(workers, null, 1)}\n${lines.join('\n')}\n`);
}
