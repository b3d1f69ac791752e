import type { StimulusId } from '@spillway/kernel';
import type { WorkerEvent } from '@spillway/worker-machine';

/** Where the outcome of a performed instruction goes. */
export interface Dispatcher {
  dispatch(event: WorkerEvent): void;
  stimulus(cause: string): StimulusId;
}
