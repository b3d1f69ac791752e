import type { ClientEvent } from './events.js';

/** What a client says in order, and what therefore waits while one of its graphs is being committed. */
export type SpokenEvent = Exclude<
  ClientEvent,
  { type: 'client-connected' | 'client-disconnected' | 'client-closing' | 'graph-part' }
>;
