/** A client on a `FakeCluster`, with timers that a test can run out. */
import type { Cancellable, Timers } from '@spillway/ports';
import { assembleClient } from '../assemble-client.js';
import type { Client } from '../client.js';
import type { SessionSettings } from '../session-settings.js';
import { FakeCluster } from './fake-cluster.js';

/** Delays pass when the test says so; `soon` is the real turn of the loop. */
export class ManualTimers implements Timers {
  nowMs = 0;
  readonly #due: { readonly atMs: number; readonly call: () => void }[] = [];

  after(delayMs: number, call: () => void): Cancellable {
    const entry = { atMs: this.nowMs + delayMs, call };
    this.#due.push(entry);
    return { cancel: () => this.#remove(entry) };
  }

  every(): Cancellable {
    throw new Error('The client repeats nothing.');
  }

  soon(call: () => void): void {
    setImmediate(call);
  }

  get pendingCount(): number {
    return this.#due.length;
  }

  advance(ms: number): void {
    this.nowMs += ms;
    const due = this.#due.filter(({ atMs }) => atMs <= this.nowMs);
    for (const entry of due) this.#remove(entry);
    for (const { call } of due) call();
  }

  #remove(entry: { readonly atMs: number; readonly call: () => void }): void {
    const index = this.#due.indexOf(entry);
    if (index >= 0) this.#due.splice(index, 1);
  }
}

export interface ClientRig {
  readonly client: Client;
  readonly cluster: FakeCluster;
  readonly timers: ManualTimers;
}

export function aClient(settings: Partial<SessionSettings> = {}): ClientRig {
  const cluster = new FakeCluster();
  const timers = new ManualTimers();
  const { client, listener } = assembleClient({
    connection: cluster,
    timers,
    clock: { nowMs: () => timers.nowMs },
    settings,
  });
  cluster.listener = listener;
  return { client, cluster, timers };
}

/** Lets everything happen that needs no timer: several turns of the loop. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
