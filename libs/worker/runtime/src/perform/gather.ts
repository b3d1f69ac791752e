import type { TaskKey } from '@spillway/kernel';
import type { ArrivedValue, PeerLink, ValueStore } from '@spillway/ports';
import type { WorkerInstruction } from '@spillway/worker-machine';
import type { Dispatcher } from './dispatcher.js';

type Gather = Extract<WorkerInstruction, { type: 'gather-dependencies' }>;

/** Fetches from one peer; what arrives is in the store before the machine hears of it. */
export async function performGather(
  { peerId, address, keys }: Gather,
  store: ValueStore,
  peers: PeerLink,
  dispatcher: Dispatcher,
): Promise<void> {
  const outcome = await peers.gather({ peerId, address, keys });
  const stimulusId = dispatcher.stimulus(outcome.type);
  switch (outcome.type) {
    case 'gather-success':
      dispatcher.dispatch({
        type: 'gather-success',
        stimulusId,
        peerId,
        arrived: keep(outcome.values, store),
        missing: outcome.missing,
      });
      break;
    case 'gather-busy':
      dispatcher.dispatch({ type: 'gather-busy', stimulusId, peerId });
      break;
    case 'gather-network-failure':
      dispatcher.dispatch({
        type: 'gather-network-failure',
        stimulusId,
        peerId,
        arrived: keep(outcome.values, store),
        message: outcome.message,
      });
      break;
  }
}

function keep(
  values: readonly ArrivedValue[],
  store: ValueStore,
): { readonly key: TaskKey; readonly nbytes: number }[] {
  return values.map(({ key, payload }) => {
    store.put(key, payload);
    return { key, nbytes: payload.data.byteLength };
  });
}
