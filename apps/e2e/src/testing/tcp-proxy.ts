/** A network between two programs that can be broken: forwards connections, cuts them, takes none, takes them again. */
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Connections that this process has made: how a proxy tells its own test's client from the programs of the cluster. */
const ownSockets = new Set<Socket>();
subscribe('net.client.socket', (message) => {
  const { socket } = message as { readonly socket: Socket };
  ownSockets.add(socket);
  socket.on('close', () => ownSockets.delete(socket));
});
const isOwn = (connection: Socket): boolean =>
  [...ownSockets].some(({ localPort }) => localPort !== undefined && localPort === connection.remotePort);

/** What becomes of connections of this process: they work, are refused, or nothing is ever heard on them. */
export type OwnConnections = 'forwarded' | 'refused' | 'ignored';

export class TcpProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isOpen = true;
  /** How many connections were taken so far. */
  acceptedCount = 0;
  /** How many connections of this process were not forwarded. */
  blockedCount = 0;

  private constructor(target: string, own: OwnConnections) {
    const at = target.lastIndexOf(':');
    this.#server = createServer((inner) => {
      if (!this.#isOpen) {
        inner.resetAndDestroy();
        return;
      }
      if (own !== 'forwarded' && isOwn(inner)) {
        this.blockedCount += 1;
        this.#sockets.add(inner);
        inner.on('error', () => undefined).on('close', () => this.#sockets.delete(inner));
        if (own === 'refused') inner.resetAndDestroy();
        return;
      }
      this.acceptedCount += 1;
      const outer = connect(Number(target.slice(at + 1)), target.slice(0, at));
      this.#join(inner, outer);
      this.#join(outer, inner);
    });
  }

  /** `target`: `host:port`. */
  static async to(target: string, own: OwnConnections = 'forwarded'): Promise<TcpProxy> {
    const proxy = new TcpProxy(target, own);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Breaks all connections; new ones are taken. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Breaks all connections, and those that come, until `resume`. */
  stop(): void {
    this.#isOpen = false;
    this.cut();
  }

  resume(): void {
    this.#isOpen = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    from.pipe(to);
  }
}
