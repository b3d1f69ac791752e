/** A store on a container, and what specs do with the two. */
import { asTaskKey, type TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import type { ValueContainer } from '@spillway/value-container';
import { ContainerStore } from '../container-store.js';
import type { ContainerTroubleReport } from '../container-trouble.js';

export const x = asTaskKey('x');
export const y = asTaskKey('y');
export const z = asTaskKey('z');

export const bytes = (count: number, fill = 1): Payload => ({
  encoding: 'v8',
  data: new Uint8Array(count).fill(fill),
});

interface Rig {
  readonly store: ContainerStore;
  readonly lost: [TaskKey, string][];
  readonly troubles: ContainerTroubleReport[];
}

export function aStore(container: ValueContainer, closesContainer = true): Rig {
  const lost: Rig['lost'] = [];
  const troubles: ContainerTroubleReport[] = [];
  const store = new ContainerStore({
    container,
    closesContainer,
    onLost: (keys, reason) => lost.push(...keys.map((key): [TaskKey, string] => [key, reason])),
    onTrouble: (report) => troubles.push(report),
  });
  return { store, lost, troubles };
}

/** Puts values of 100 bytes, and waits until the container has them. */
export const taken = async (store: ContainerStore, ...keys: readonly TaskKey[]): Promise<void> => {
  for (const key of keys) store.put(key, bytes(100, key.charCodeAt(0)));
  // Reads wait for nothing that is in RAM: what is not there any more has been taken.
  while (keys.some((key) => store.peek(key) !== undefined)) await new Promise(setImmediate);
};
