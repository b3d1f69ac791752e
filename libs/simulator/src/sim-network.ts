import {
  ClusterUnreachableError,
  SessionExpiredError,
  type SeededRandom,
  type SpillwayError,
} from '@spillway/kernel';
import type { Link, LinkListener } from '@spillway/ports';
import type { SimTime } from './sim-time.js';

/** Between two attempts to connect. */
const RETRY_MS = 100;

export interface NetworkOptions {
  readonly latencyMs: number;
  /** Chance that a message takes up to `slowMs` instead: order is kept within a session, not across sessions. */
  readonly slowChance: number;
  readonly slowMs: number;
  /** How long a session outlives its connection. */
  readonly graceMs: number;
}

/**
 * Sessions as `@spillway/protocol` promises them: messages arrive once and in order while both processes live, late
 * when the connection is cut, and the session ends on both sides when the cut outlives the grace period. What was under
 * way to or from a dead process is lost.
 */
export class SimNetwork {
  readonly #sessions = new Set<SimSession<unknown, unknown>>();
  /** While it is not, connecting takes until it is. */
  isServerUp = true;

  constructor(
    private readonly time: SimTime,
    private readonly random: SeededRandom,
    readonly options: NetworkOptions,
  ) {}

  /** A connection attempt: `accept` runs at the server when the hello arrives; it may throw to refuse. */
  connect<Up, Down>(
    name: string,
    below: LinkListener<Down>,
    accept: (link: Link<Down>) => LinkListener<Up>,
  ): Promise<Link<Up>> {
    return new Promise((resolve, reject) => {
      const session = new SimSession<Up, Down>(
        name,
        this.time,
        () => this.delayMs(),
        this.options.graceMs,
        (ended) => this.#sessions.delete(ended as SimSession<unknown, unknown>),
      );
      this.#sessions.add(session as SimSession<unknown, unknown>);
      session.below.listener = below;
      const arrive = (): void => {
        if (!this.isServerUp && !session.isOver) {
          this.time.after(RETRY_MS, arrive);
          return;
        }
        if (session.isOver) {
          reject(new ClusterUnreachableError('The process died while it connected.'));
          return;
        }
        try {
          session.above.listener = accept(session.above.link);
          resolve(session.below.link);
        } catch (error) {
          session.forget();
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      this.time.after(this.delayMs(), arrive);
    });
  }

  /** Who was connected notices when it asks the next life of the server, which does not know the session. */
  serverDied(): void {
    this.isServerUp = false;
    for (const session of [...this.#sessions])
      if (session.above.listener !== undefined) session.upperEndDied();
  }

  /** Cuts the connection of a session for a while. Unknown names are ignored. */
  cut(name: string, durationMs: number): void {
    for (const session of this.#sessions) if (session.name === name) session.cut(durationMs);
  }

  /** The process at the lower end died: it hears nothing more, and what it sent and is not delivered is lost. */
  processDied(name: string): void {
    for (const session of this.#sessions) if (session.name === name) session.lowerEndDied();
  }

  heal(): void {
    for (const session of this.#sessions) session.heal();
  }

  delayMs(): number {
    const { latencyMs, slowChance, slowMs } = this.options;
    return this.random.chance(slowChance)
      ? this.random.next() * slowMs
      : latencyMs * (0.5 + this.random.next());
  }
}

interface End<In, Out> {
  listener: LinkListener<In> | undefined;
  readonly link: Link<Out>;
  /** When the last message to this end arrives: later ones come after it. */
  lastArrivalMs: number;
  /** Arrived while the connection was cut. */
  readonly held: In[];
}

class SimSession<Up, Down> {
  /** The server's end receives `Up`, the process that connected receives `Down`. */
  readonly above: End<Up, Down>;
  readonly below: End<Down, Up>;
  isOver = false;
  #isCut = false;
  #lowerDead = false;
  #cutCount = 0;

  constructor(
    readonly name: string,
    private readonly time: SimTime,
    private readonly delayMs: () => number,
    private readonly graceMs: number,
    private readonly onOver: (session: SimSession<Up, Down>) => void,
  ) {
    this.above = {
      listener: undefined,
      lastArrivalMs: 0,
      held: [],
      link: this.#linkTo<Down>(() => this.below),
    };
    this.below = {
      listener: undefined,
      lastArrivalMs: 0,
      held: [],
      link: this.#linkTo<Up>(() => this.above),
    };
  }

  cut(durationMs: number): void {
    if (this.isOver || this.#isCut) return;
    this.#isCut = true;
    const cutNumber = ++this.#cutCount;
    this.above.listener?.onDisconnected?.('cut');
    this.below.listener?.onDisconnected?.('cut');
    this.time.after(Math.min(durationMs, this.graceMs), () => {
      if (this.isOver || !this.#isCut || cutNumber !== this.#cutCount) return;
      if (durationMs < this.graceMs) this.heal();
      else this.#end(new ClusterUnreachableError('The connection was not resumed in time.'));
    });
  }

  heal(): void {
    if (this.isOver || !this.#isCut || this.#lowerDead) return;
    this.#isCut = false;
    this.above.listener?.onResumed?.();
    this.below.listener?.onResumed?.();
    const [up, down] = [this.above.held.splice(0), this.below.held.splice(0)];
    if (up.length > 0) this.above.listener?.onMessages(up);
    if (down.length > 0) this.below.listener?.onMessages(down);
  }

  lowerEndDied(): void {
    this.#lowerDead = true;
    this.below.listener = undefined;
    this.above.held.length = 0;
    // A cut that was to heal does not any more.
    this.#isCut = false;
    this.cut(Infinity);
  }

  upperEndDied(): void {
    const { listener } = this.below;
    this.forget();
    this.time.after(this.delayMs(), () => {
      // Dead itself by now, or not.
      if (!this.#lowerDead)
        listener?.onEnded(new SessionExpiredError('The scheduler does not know this session.'));
    });
  }

  forget(): void {
    this.isOver = true;
    this.onOver(this);
  }

  #linkTo<Message>(receiver: () => End<Message, never>): Link<Message> {
    return {
      send: (message) => {
        if (this.isOver) return;
        const end = receiver();
        end.lastArrivalMs = Math.max(end.lastArrivalMs, this.time.nowMs() + this.delayMs());
        this.time.at(end.lastArrivalMs, () => this.#arrive(end, message));
      },
      close: () => {
        if (this.isOver) return;
        const end = receiver();
        end.lastArrivalMs = Math.max(end.lastArrivalMs, this.time.nowMs() + this.delayMs());
        this.time.at(end.lastArrivalMs, () => this.#end(undefined));
      },
    };
  }

  #arrive<Message>(end: End<Message, never>, message: Message): void {
    if (this.isOver) return;
    const fromTheDead = this.#lowerDead && (end as unknown) === this.above;
    if (fromTheDead) return;
    if (this.#isCut) end.held.push(message);
    else end.listener?.onMessages([message]);
  }

  #end(error: SpillwayError | undefined): void {
    if (this.isOver) return;
    this.forget();
    this.above.listener?.onEnded(error);
    this.below.listener?.onEnded(error);
  }
}
