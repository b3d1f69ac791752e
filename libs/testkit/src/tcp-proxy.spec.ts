import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { ProxyTimers } from './proxy-pipe.js';
import { TcpProxy, type TcpProxyOptions } from './tcp-proxy.js';

/** A server that keeps what it hears and answers nothing, unless told to. */
class Target implements AsyncDisposable {
  heard = '';
  readonly sockets: Socket[] = [];
  readonly #server: Server = createServer((socket) => {
    this.sockets.push(socket);
    socket.on('error', () => undefined).on('data', (bytes) => (this.heard += bytes.toString()));
  });

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when this is what it has heard. */
  async hears(text: string): Promise<void> {
    while (this.heard !== text) await turn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Time that goes on when it is told to. */
class HandClock implements ProxyTimers {
  #nowMs = 0;
  readonly #waiting = new Map<() => void, number>();
  readonly nowMs = (): number => this.#nowMs;

  readonly after = (ms: number, run: () => void): (() => void) => {
    this.#waiting.set(run, this.#nowMs + ms);
    return () => this.#waiting.delete(run);
  };

  get nextMs(): number | undefined {
    return [...this.#waiting.values()].toSorted((a, b) => a - b)[0];
  }

  advanceTo(ms: number): void {
    this.#nowMs = ms;
    for (const [run, dueMs] of this.#waiting)
      if (dueMs <= ms) {
        this.#waiting.delete(run);
        run();
      }
  }

  /** Resolves once something waits. */
  async waits(): Promise<number> {
    while (this.nextMs === undefined) await turn();
    return this.nextMs;
  }
}

/** What comes from real sockets comes in a later turn; jest's timeout is the bound. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Also of one that ends with an error, which is what a reset is. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()));

let target: Target;
let proxy: TcpProxy;
const clients: Socket[] = [];
async function start(options: TcpProxyOptions = {}): Promise<void> {
  target = new Target();
  proxy = await TcpProxy.to(await target.listen(), options);
}
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
});

async function open(): Promise<Socket> {
  const client = connect(Number(proxy.address.split(':')[1]), '127.0.0.1');
  client.on('error', () => undefined);
  clients.push(client);
  await once(client, 'connect');
  return client;
}

/** The other end of the client's connection. */
async function accepted(index = 0): Promise<Socket> {
  while (target.sockets.length <= index) await turn();
  return target.sockets[index]!;
}

test('what is said on one side is heard on the other, in both directions, and an end too', async () => {
  await start();
  const client = await open();
  client.write('hello');
  await target.hears('hello');
  (await accepted()).end('good-bye');
  const [answer] = (await once(client, 'data')) as [Buffer];
  expect(answer.toString()).toBe('good-bye');
  if (!client.readableEnded) await once(client, 'end');
  expect(proxy.acceptedCount).toBe(1);
});

test('a megabyte goes through whole and in order although the reader takes it slowly', async () => {
  await start();
  const client = await open();
  const sent = Buffer.from(Uint8Array.from({ length: 2 ** 20 }, (_, at) => (at * 31) % 251));
  const parts: Buffer[] = [];
  const server = await accepted();
  server.removeAllListeners('data');
  server.on('data', (bytes) => {
    parts.push(bytes);
    server.pause();
    setImmediate(() => server.resume());
  });
  client.end(sent);
  await once(server, 'end');
  expect(Buffer.concat(parts).equals(sent)).toBe(true);
});

test('a cut breaks the connections there are, on both sides, and takes new ones', async () => {
  await start();
  const client = await open();
  client.write('a');
  await target.hears('a');
  const bothClosed = Promise.all([closed(client), closed(await accepted())]);
  expect(proxy.cut()).toBe(1);
  await bothClosed;
  (await open()).write('b');
  await target.hears('ab');
});

test('a proxy that is stopped breaks what comes, until it is resumed', async () => {
  await start();
  proxy.stop();
  const refused = connect(Number(proxy.address.split(':')[1]), '127.0.0.1').on('error', () => undefined);
  await closed(refused);
  expect(target.sockets).toEqual([]);
  proxy.resume();
  (await open()).write('again');
  await target.hears('again');
});

test('a black hole takes connections and lets nothing through in its direction; afterwards what waited comes', async () => {
  await start();
  proxy.blackHole('to-target');
  const client = await open();
  client.write('unheard');
  const server = await accepted();
  server.write('heard');
  const [answer] = (await once(client, 'data')) as [Buffer];
  expect(answer.toString()).toBe('heard');
  expect(target.heard).toBe('');
  proxy.blackHole(undefined);
  await target.hears('unheard');

  proxy.blackHole('from-target');
  const answers: string[] = [];
  client.on('data', (bytes) => answers.push(bytes.toString()));
  server.write('lost for now');
  client.write(', this not');
  await target.hears('unheard, this not');
  expect(answers).toEqual([]);
  proxy.heal();
  while (answers.join('') !== 'lost for now') await turn();
});

test('with latency bytes are under way for so long and some more by chance, and never overtake', async () => {
  const clock = new HandClock();
  const draws = [0.5, 0];
  await start({ timers: clock, random: () => draws.shift() ?? 0 });
  proxy.delay({ ms: 100, jitterMs: 40 });
  const client = await open();
  client.write('first');
  expect(await clock.waits()).toBe(120);
  clock.advanceTo(10);
  client.write(' second');
  // 10 + 100 would be before the first.
  while (draws.length > 0) await turn();
  expect(clock.nextMs).toBe(120);
  expect(target.heard).toBe('');
  clock.advanceTo(120);
  await target.hears('first second');
});

test('a throttled connection takes its time for each byte', async () => {
  const clock = new HandClock();
  await start({ timers: clock });
  proxy.throttle(1000);
  const client = await open();
  client.write('x'.repeat(500));
  expect(await clock.waits()).toBe(500);
  clock.advanceTo(499);
  expect(target.heard).toBe('');
  clock.advanceTo(500);
  await target.hears('x'.repeat(500));
  proxy.throttle(false);
  client.write('y');
  await target.hears(`${'x'.repeat(500)}y`);
});

test('who is not admitted is refused, or hears nothing', async () => {
  const admissions = ['refused', 'ignored'] as const;
  let asked = 0;
  await start({ admit: () => admissions[asked++]! });
  const refused = connect(Number(proxy.address.split(':')[1]), '127.0.0.1').on('error', () => undefined);
  await closed(refused);
  await open();
  while (proxy.blockedCount < 2) await turn();
  expect([proxy.acceptedCount, target.sockets.length]).toEqual([0, 0]);
});
