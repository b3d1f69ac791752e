import type { ClientId } from '@spillway/kernel';

/** Calls under way of one client, since it was last forgotten. */
interface Calls {
  count: number;
}

type Tell = (type: 'client-connected' | 'client-disconnected', clientId: ClientId, isBack: boolean) => void;

/**
 * Which clients are there: with a connected stream, or in the middle of calls, of which there may be several at a time.
 * Tells when one comes, and when it is there in neither way any more, so that its lease runs exactly then.
 */
export class ClientPresence {
  readonly #connected = new Set<ClientId>();
  readonly #calls = new Map<ClientId, Calls>();

  constructor(private readonly tell: Tell) {}

  /** Its stream is there, for the first time or again. `isBack`: in a session that begins where an older one was lost. */
  streamConnected(clientId: ClientId, isBack = false): void {
    this.#connected.add(clientId);
    this.tell('client-connected', clientId, isBack);
  }

  streamLost(clientId: ClientId): void {
    this.#connected.delete(clientId);
    if (!this.#calls.has(clientId)) this.tell('client-disconnected', clientId, false);
  }

  /** The client is there for as long as the call takes. */
  async during<T>(clientId: ClientId, call: () => Promise<T>): Promise<T> {
    const calls = this.#calls.get(clientId) ?? { count: 0 };
    const isHere = calls.count > 0 || this.#connected.has(clientId);
    calls.count += 1;
    this.#calls.set(clientId, calls);
    if (!isHere) this.tell('client-connected', clientId, false);
    try {
      return await call();
    } finally {
      calls.count -= 1;
      if (calls.count === 0 && this.#calls.get(clientId) === calls) this.#lastCallEnded(clientId);
    }
  }

  /** It was closed, or its lease is over: a call that comes now is of a new client of that id, whatever still ends. */
  forget(clientId: ClientId): void {
    this.#connected.delete(clientId);
    this.#calls.delete(clientId);
  }

  #lastCallEnded(clientId: ClientId): void {
    this.#calls.delete(clientId);
    if (!this.#connected.has(clientId)) this.tell('client-disconnected', clientId, false);
  }
}
