import type { ClientId, NannyId, WorkerId } from '@spillway/kernel';
import type { SchedulerToClient, SchedulerToNanny, SchedulerToWorker } from '@spillway/messages';
import type { Link } from '@spillway/ports';

/** The links that are open now, by who is at their other end. */
export class Sessions {
  readonly clients = new Map<ClientId, Link<SchedulerToClient>>();
  readonly workers = new Map<WorkerId, Link<SchedulerToWorker>>();
  readonly nannies = new Map<NannyId, Link<SchedulerToNanny>>();
  /** Workers that said they end on purpose, with what they said: nobody is charged for their going. */
  readonly closingWorkers = new Map<WorkerId, { readonly leavesValues: boolean }>();

  closeAll(reason: string): void {
    for (const links of [this.clients, this.workers, this.nannies])
      for (const link of links.values()) link.close(reason);
  }
}
