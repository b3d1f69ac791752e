import type { ClientId, NannyId, StimulusId, WorkerId } from '@spillway/kernel';
import type { SchedulerToClient, SchedulerToNanny, SchedulerToWorker } from '@spillway/messages';
import type { Link } from '@spillway/ports';
import type { SchedulerInstruction } from '@spillway/scheduler-machine';

type EndWorkerSession = Extract<SchedulerInstruction, { type: 'end-worker-session' }>;

/** The links that are open now, by who is at their other end. */
export class Sessions {
  readonly clients = new Map<ClientId, Link<SchedulerToClient>>();
  readonly workers = new Map<WorkerId, Link<SchedulerToWorker>>();
  readonly nannies = new Map<NannyId, Link<SchedulerToNanny>>();
  /** Which nanny has the worker; none for one without. */
  readonly nannyOf = new Map<WorkerId, NannyId>();
  /** Workers that said they end on purpose, with what they said: nobody is charged for their going. */
  readonly closingWorkers = new Map<WorkerId, { readonly leavesValues: boolean }>();

  /** The worker has no session any more. Its link, for whoever has a last word to say. */
  forgetWorker(workerId: WorkerId): Link<SchedulerToWorker> | undefined {
    const link = this.workers.get(workerId);
    this.workers.delete(workerId);
    this.closingWorkers.delete(workerId);
    this.nannyOf.delete(workerId);
    return link;
  }

  /** Tells the worker to end, and forgets it. */
  endWorker({ workerId, stimulusId, reason, retired }: EndWorkerSession): void {
    const link = this.forgetWorker(workerId);
    link?.send({
      type: 'close-worker',
      stimulusId,
      reason,
      ...(retired === undefined ? {} : { retired }),
    });
    link?.close(reason);
  }

  /** Tells workers and nannies to end, and ends all sessions. */
  closeAll(stimulusId: StimulusId, reason: string): void {
    for (const link of this.workers.values()) link.send({ type: 'close-worker', stimulusId, reason });
    for (const link of this.nannies.values()) link.send({ type: 'close-nanny', stimulusId, reason });
    for (const links of [this.clients, this.workers, this.nannies])
      for (const link of links.values()) link.close(reason);
  }
}
