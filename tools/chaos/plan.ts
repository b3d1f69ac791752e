/**
 * What will be done to the cluster, and when. Pure: the same seed and minutes give the same plan, whatever the machine.
 * Whom an action meets is a name, not a process: who bears the name by then is found when it is performed.
 */
import { SeededRandom } from '@spillway/kernel';
import type { BlackHole } from '@spillway/testkit';

/** The nannies, how many workers each has, and how many threads each of these. */
export const NANNIES = {
  a: { workers: 2, nthreads: 1 },
  b: { workers: 2, nthreads: 2 },
  // One worker, so that its address can be fixed, and others reach it through a proxy.
  c: { workers: 1, nthreads: 1 },
} as const;
export type NannyName = keyof typeof NANNIES;
const NANNY_NAMES = Object.keys(NANNIES) as readonly NannyName[];

export const WORKER_NAMES: readonly string[] = NANNY_NAMES.flatMap((nanny) =>
  Array.from({ length: NANNIES[nanny].workers }, (_, slot) => `${nanny}-${slot}`),
);

/**
 * Connections that go through a proxy: of a nanny and its workers to the scheduler, of the client to the scheduler, and
 * of everybody to the worker of nanny `c`.
 */
export const LINKS = [...NANNY_NAMES, 'client', 'peers-of-c'] as const;
export type LinkName = (typeof LINKS)[number];

/** `fast`: Buffers, as fast as it can. `heap`: objects. `slow`: Buffers, a few MB at a time, awaiting in between. */
export type BombKind = 'fast' | 'heap' | 'slow';

export type Action = { readonly atMs: number } & (
  | { readonly kind: 'kill-worker'; readonly worker: string }
  | { readonly kind: 'kill-nanny'; readonly nanny: NannyName; readonly forMs: number }
  | { readonly kind: 'stop-worker'; readonly worker: string; readonly forMs: number }
  | { readonly kind: 'bomb'; readonly bomb: BombKind; readonly count: number }
  | { readonly kind: 'fill-disk'; readonly forMs: number }
  | { readonly kind: 'cut'; readonly link: LinkName }
  | {
      readonly kind: 'black-hole';
      readonly link: LinkName;
      readonly direction: BlackHole;
      readonly forMs: number;
    }
  | {
      readonly kind: 'delay';
      readonly link: LinkName;
      readonly ms: number;
      readonly jitterMs: number;
      readonly forMs: number;
    }
  | {
      readonly kind: 'throttle';
      readonly link: LinkName;
      readonly bytesPerSecond: number;
      readonly forMs: number;
    }
  | { readonly kind: 'kill-scheduler'; readonly forMs: number }
);
export type ActionKind = Action['kind'];

export interface PlanOptions {
  readonly seed: number;
  readonly minutes: number;
  /** The scheduler is killed too. Without a journal it forgets what it knew. */
  readonly killsScheduler: boolean;
}

/** How often each kind comes, relative to the others. */
const WEIGHTS: Readonly<Record<ActionKind, number>> = {
  'kill-worker': 6,
  'kill-nanny': 2,
  'stop-worker': 4,
  bomb: 3,
  'fill-disk': 2,
  cut: 5,
  'black-hole': 3,
  delay: 3,
  throttle: 2,
  'kill-scheduler': 1,
};

/** Until then the cluster works undisturbed, so that there is something to lose. */
const FIRST_AT_MS = 3_000;
/** Between two actions; drawn anew each time, so that some come close together. */
const GAP_MS_MAX = 3_500;
/** The end of the time is left to healing. */
const HEALING_FRACTION = 0.1;
const HEALING_MS_MAX = 15_000;
/** Beyond what a session outlives: silence counts as a break after 3 s, and a worker is given up 5 s later. */
const OUTAGE_MS_MAX = 11_000;

/** In the order of time. */
export function planOf({ seed, minutes, killsScheduler }: PlanOptions): readonly Action[] {
  const random = new SeededRandom(seed);
  const lengthMs = minutes * 60_000;
  const endMs = lengthMs - Math.min(lengthMs * HEALING_FRACTION, HEALING_MS_MAX);
  const busy = new BusyTargets();
  const actions: Action[] = [];
  let atMs = FIRST_AT_MS;
  while (atMs < endMs) {
    const kind = kindOf(random, killsScheduler);
    const action = actionOf(kind, atMs, random, busy);
    if (action !== undefined) actions.push(action);
    atMs += 200 + random.below(GAP_MS_MAX);
  }
  return actions;
}

/** What is broken already is left alone until it is mended, so that one action's end does not mend another's damage. */
class BusyTargets {
  readonly #untilMs = new Map<string, number>();

  pick<T extends string>(
    among: readonly T[],
    atMs: number,
    forMs: number,
    random: SeededRandom,
  ): T | undefined {
    const free = among.filter((name) => (this.#untilMs.get(name) ?? 0) <= atMs);
    const picked = random.pick(free);
    if (picked !== undefined) this.#untilMs.set(picked, atMs + forMs);
    return picked;
  }
}

function kindOf(random: SeededRandom, killsScheduler: boolean): ActionKind {
  const kinds = (Object.keys(WEIGHTS) as ActionKind[]).filter(
    (kind) => killsScheduler || kind !== 'kill-scheduler',
  );
  let at = random.below(kinds.reduce((sum, kind) => sum + WEIGHTS[kind], 0));
  for (const kind of kinds) {
    at -= WEIGHTS[kind];
    if (at < 0) return kind;
  }
  return 'cut';
}

/** `undefined`: there is nobody to do this to at the moment. */
function actionOf(
  kind: ActionKind,
  atMs: number,
  random: SeededRandom,
  busy: BusyTargets,
): Action | undefined {
  const between = (low: number, high: number): number => low + random.below(high - low);
  switch (kind) {
    case 'kill-worker':
      return { atMs, kind, worker: random.pick(WORKER_NAMES)! };
    case 'kill-nanny': {
      const forMs = between(300, 4_000);
      const nanny = busy.pick(NANNY_NAMES, atMs, forMs, random);
      return nanny && { atMs, kind, nanny, forMs };
    }
    case 'stop-worker': {
      const forMs = between(300, OUTAGE_MS_MAX);
      const worker = busy.pick(WORKER_NAMES, atMs, forMs, random);
      return worker === undefined ? undefined : { atMs, kind, worker, forMs };
    }
    case 'bomb':
      return { atMs, kind, bomb: random.pick(['fast', 'heap', 'slow'] as const)!, count: between(1, 3) };
    case 'fill-disk': {
      const forMs = between(1_000, OUTAGE_MS_MAX);
      return busy.pick(['disk'], atMs, forMs, random) && { atMs, kind, forMs };
    }
    case 'kill-scheduler': {
      const forMs = between(200, 3_000);
      return busy.pick(['scheduler'], atMs, forMs, random) && { atMs, kind, forMs };
    }
    case 'cut':
      return { atMs, kind, link: random.pick(LINKS)! };
    case 'black-hole':
    case 'delay':
    case 'throttle': {
      const forMs = between(300, OUTAGE_MS_MAX);
      const link = busy.pick(
        LINKS.map((name) => `link ${name}` as const),
        atMs,
        forMs,
        random,
      );
      return (
        link && { atMs, link: link.slice('link '.length) as LinkName, forMs, ...weatherOf(kind, random) }
      );
    }
  }
}

function weatherOf(kind: 'black-hole' | 'delay' | 'throttle', random: SeededRandom) {
  switch (kind) {
    case 'black-hole':
      return { kind, direction: random.pick(['to-target', 'from-target', 'both'] as const)! };
    case 'delay':
      return { kind, ms: 5 + random.below(300), jitterMs: random.below(200) };
    case 'throttle':
      return { kind, bytesPerSecond: 2 ** 18 + random.below(2 ** 22) };
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** One line for people, without the time. */
export function describeAction(action: Action): string {
  switch (action.kind) {
    case 'kill-worker':
      return `kill -9 of worker ${action.worker}`;
    case 'kill-nanny':
      return `kill -9 of nanny ${action.nanny}, started again after ${seconds(action.forMs)}`;
    case 'stop-worker':
      return `SIGSTOP of worker ${action.worker} for ${seconds(action.forMs)}`;
    case 'bomb':
      return `${action.count} memory bomb(s) of kind "${action.bomb}"`;
    case 'fill-disk':
      return `the disk is full for ${seconds(action.forMs)}`;
    case 'cut':
      return `all connections of ${action.link} are cut`;
    case 'black-hole':
      return `nothing gets through on ${action.link} (${action.direction}) for ${seconds(action.forMs)}`;
    case 'delay':
      return `${action.link} is late by ${action.ms} to ${action.ms + action.jitterMs} ms for ${seconds(action.forMs)}`;
    case 'throttle':
      return `${action.link} takes ${Math.round(action.bytesPerSecond / 1024)} KiB/s for ${seconds(action.forMs)}`;
    case 'kill-scheduler':
      return `kill -9 of the scheduler, started again after ${seconds(action.forMs)}`;
  }
}

/** `mm:ss.t` */
export function clockText(ms: number): string {
  const tenths = Math.floor(ms / 100);
  const pad = (value: number): string => String(value).padStart(2, '0');
  return `${pad(Math.floor(tenths / 600))}:${pad(Math.floor(tenths / 10) % 60)}.${tenths % 10}`;
}
