/**
 * A network between two programs that can be broken: forwards connections of a port of its own to a target; cuts them, takes
 * none, lets nothing through in either direction, is late, is slow. What it is told holds for the connections there are and
 * for those that come. Chance and time are arguments.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { ProxyPipe, type NetworkWeather, type ProxyTimers } from './proxy-pipe.js';

/** What becomes of a new connection: it works, is refused, or nothing is ever heard on it. */
export type Admission = 'forwarded' | 'refused' | 'ignored';

/** Where nothing gets through. */
export type BlackHole = 'to-target' | 'from-target' | 'both';

export interface TcpProxyOptions {
  /** Asked for each connection. Default: all are forwarded. */
  readonly admit?: (connection: Socket) => Admission;
  /** In [0, 1); for what varies. Default: nothing varies. */
  readonly random?: () => number;
  /** Default: those of Node. */
  readonly timers?: ProxyTimers;
}

export interface Latency {
  readonly ms: number;
  /** Up to so much more, by chance. */
  readonly jitterMs?: number;
}

const NODE_TIMERS: ProxyTimers = {
  nowMs: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** A connection that was taken, with its two directions. */
interface Joint {
  readonly inner: Socket;
  readonly outer: Socket;
  readonly toTarget: ProxyPipe;
  readonly fromTarget: ProxyPipe;
}

export class TcpProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #joints = new Set<Joint>();
  /** Taken, and not forwarded. */
  readonly #ignored = new Set<Socket>();
  readonly #random: () => number;
  readonly #timers: ProxyTimers;
  readonly #weather: NetworkWeather;
  #isOpen = true;
  #latency: Latency = { ms: 0 };
  #bytesPerSecond: number | false = false;
  #blackHole: BlackHole | undefined;
  /** How many connections were forwarded so far. */
  acceptedCount = 0;
  /** How many connections were ignored or refused by `admit`. */
  blockedCount = 0;

  private constructor(
    private readonly target: string,
    private readonly options: TcpProxyOptions,
  ) {
    this.#random = options.random ?? (() => 0);
    this.#timers = options.timers ?? NODE_TIMERS;
    const bytesPerSecond = (): number | false => this.#bytesPerSecond;
    this.#weather = {
      latencyMs: () => this.#latency.ms + this.#random() * (this.#latency.jitterMs ?? 0),
      get bytesPerSecond() {
        return bytesPerSecond();
      },
    };
    this.#server = createServer((inner) => this.#take(inner));
  }

  /** `target`: `host:port`. `port`: of the proxy, on the loopback interface; 0 is any free one. */
  static async to(target: string, options: TcpProxyOptions & { port?: number } = {}): Promise<TcpProxy> {
    const proxy = new TcpProxy(target, options);
    proxy.#server.listen(options.port ?? 0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Breaks all connections; new ones are taken. Says how many there were. */
  cut(): number {
    const count = this.#joints.size;
    for (const { inner, outer } of this.#joints) {
      inner.resetAndDestroy();
      outer.resetAndDestroy();
    }
    for (const socket of this.#ignored) socket.resetAndDestroy();
    return count;
  }

  /** Breaks all connections, and those that come, until `resume`. */
  stop(): void {
    this.#isOpen = false;
    this.cut();
  }

  resume(): void {
    this.#isOpen = true;
  }

  /** Bytes are under way for so long; those that are under way already are not touched. */
  delay(latency: Latency): void {
    this.#latency = latency;
  }

  /** So many bytes a second and direction on each connection; `false`: as many as there are. */
  throttle(bytesPerSecond: number | false): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /**
   * Connections stay and are taken, and nothing gets through in this direction, not even an end, until `undefined`: then
   * what waited goes on, as after an outage of a real network.
   */
  blackHole(direction: BlackHole | undefined): void {
    this.#blackHole = direction;
    for (const joint of this.#joints) this.#hold(joint);
  }

  /** Undoes all of the above. */
  heal(): void {
    this.resume();
    this.delay({ ms: 0 });
    this.throttle(false);
    this.blackHole(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(inner: Socket): void {
    inner.on('error', () => undefined);
    if (!this.#isOpen) {
      inner.resetAndDestroy();
      return;
    }
    const admission = this.options.admit?.(inner) ?? 'forwarded';
    if (admission !== 'forwarded') {
      this.blockedCount += 1;
      this.#ignored.add(inner);
      inner.on('close', () => this.#ignored.delete(inner));
      if (admission === 'refused') inner.resetAndDestroy();
      return;
    }
    this.acceptedCount += 1;
    this.#join(inner);
  }

  #join(inner: Socket): void {
    const at = this.target.lastIndexOf(':');
    const outer = connect({
      port: Number(this.target.slice(at + 1)),
      host: this.target.slice(0, at),
      allowHalfOpen: true,
    });
    outer.on('error', () => undefined);
    for (const socket of [inner, outer]) socket.setNoDelay(true);
    const joint: Joint = {
      inner,
      outer,
      toTarget: new ProxyPipe(inner, outer, this.#weather, this.#timers),
      fromTarget: new ProxyPipe(outer, inner, this.#weather, this.#timers),
    };
    this.#joints.add(joint);
    const close = (): void => {
      this.#joints.delete(joint);
      joint.toTarget.close();
      joint.fromTarget.close();
      inner.destroy();
      outer.destroy();
    };
    inner.on('close', close);
    outer.on('close', close);
    this.#hold(joint);
  }

  #hold({ toTarget, fromTarget }: Joint): void {
    const hole = this.#blackHole;
    if (hole === 'to-target' || hole === 'both') toTarget.hold();
    else toTarget.release();
    if (hole === 'from-target' || hole === 'both') fromTarget.hold();
    else fromTarget.release();
  }
}
