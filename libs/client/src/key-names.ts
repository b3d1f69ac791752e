/** Names for keys that are unique in the cluster, and readable: the function first (architecture.md 5.6). */
import type { ClientId } from '@spillway/kernel';

/** Keys may be longer, but nobody reads such names. */
const NAME_LENGTH_MAX = 100;

export class KeyNames {
  #count = 0;

  constructor(private readonly clientId: ClientId) {}

  /** `sum-3f9c1a-1k`: the client's id makes it unique among clients, the count among the client's own. */
  next(name: string): string {
    this.#count += 1;
    return `${short(name)}-${this.clientId}-${this.#count.toString(36)}`;
  }

  /** The same for the same content, whoever asks. */
  withHash(name: string, hash: string): string {
    return `${short(name)}-${hash}`;
  }
}

const short = (name: string): string => name.slice(0, NAME_LENGTH_MAX);
