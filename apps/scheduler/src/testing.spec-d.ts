/** What the specs of the program share: ends of links that remember what they heard, and a network that can be cut. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { asWorkerId } from '@spillway/kernel';
import { PROTOCOL_VERSION, type SchedulerToWorker } from '@spillway/messages';
import { systemClock, systemTimers } from '@spillway/platform';
import type { LinkListener } from '@spillway/ports';
import { openWorkerLink, type LinkOptions } from '@spillway/protocol';

/** To be called after the test, last one first. */
export type Closing = (() => unknown)[];

/** A way to the scheduler that can be taken away and given back. */
export async function aNetwork(
  target: string,
  closing: Closing,
): Promise<{ address: string; cut: () => void; heal: () => void }> {
  const [host = '', port] = target.split(':');
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(Number(port), host);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy()).on('close', () => to.destroy());
      from.pipe(to);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  closing.push(() => {
    cut();
    server.close();
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    heal: () => (isCut = false),
  };
}

/** What one end of a link hears, in words. */
export class Ear<In extends { readonly type: string }> implements LinkListener<In> {
  readonly heard: In[] = [];
  readonly #said: string[] = [];
  #onSaid: () => void = () => undefined;

  onMessages(messages: readonly In[]): void {
    this.heard.push(...messages);
    for (const { type } of messages) this.#say(type);
  }
  onDisconnected(): void {
    this.#say('disconnected');
  }
  onResumed(): void {
    this.#say('resumed');
  }
  onEnded(error: { readonly code: string } | undefined): void {
    this.#say(`ended ${error?.code ?? ''}`);
  }

  /** Resolves once the word was said. What was said before it, in order. */
  async until(word: string): Promise<readonly string[]> {
    while (!this.#said.includes(word)) await new Promise<void>((resolve) => (this.#onSaid = resolve));
    return this.#said.slice(0, this.#said.indexOf(word));
  }

  #say(word: string): void {
    this.#said.push(word);
    this.#onSaid();
  }
}

export const identity = { protocol: PROTOCOL_VERSION, softwareVersion: 'test' };
export const usual = {
  clock: systemClock,
  timers: systemTimers,
  connectTimeoutMs: 20_000,
  resumeGraceMs: 60_000,
} satisfies Partial<LinkOptions<unknown, unknown>>;

/** A worker that does nothing but listen. */
export async function openWorker(address: string, name: string, closing: Closing, id = `${name}-id`) {
  const ear = new Ear<SchedulerToWorker>();
  const hello = () => ({
    ...identity,
    workerId: asWorkerId(id),
    name,
    address: '127.0.0.1:1',
    nthreads: 1,
    memoryLimitBytes: false as const,
    isLimitEnforced: true,
    pid: 1,
    holdings: [],
  });
  const link = await openWorkerLink({ ...usual, address, hello, listener: ear });
  closing.push(() => link.close('test over'));
  return { ear, link };
}
