/** The nannies that the scheduler knows, and whether it hears them now: what a silence of their workers means depends on it. */
import type { NannyId } from '@spillway/kernel';

export interface NannyView {
  readonly id: NannyId;
  readonly name: string;
  /** `host:port` of its own service. */
  readonly address: string;
  /** Its connection is up; its session may outlive a connection. */
  isConnected: boolean;
}

export class Nannies {
  readonly #byId = new Map<NannyId, NannyView>();

  get(id: NannyId): NannyView | undefined {
    return this.#byId.get(id);
  }

  /** A session begins. */
  add({ id, name, address }: Pick<NannyView, 'id' | 'name' | 'address'>): void {
    this.#byId.set(id, { id, name, address, isConnected: true });
  }

  setConnected(id: NannyId, isConnected: boolean): void {
    const nanny = this.#byId.get(id);
    if (nanny !== undefined) nanny.isConnected = isConnected;
  }

  remove(id: NannyId): void {
    this.#byId.delete(id);
  }

  /** Whether it could say now how a worker of its ended. */
  isHeard(id: NannyId): boolean {
    return this.#byId.get(id)?.isConnected === true;
  }
}
