/** Graphs that clients submit: staging their parts, and starting their commit. The commit itself is in `graph-commit.ts`. */
import { remoteError } from '@spillway/messages';
import type { ClientView } from './client-view.js';
import type { Core } from './core.js';
import type { ClientEvent } from './events.js';
import { GraphCommit } from './graph-commit.js';
import { StagedGraph } from './staged-graph.js';
import { addWant } from './wants.js';

type Said<Type extends ClientEvent['type']> = Extract<ClientEvent, { type: Type }>;

export function onGraphPart(core: Core, client: ClientView, event: Said<'graph-part'>): void {
  // Submitted again after it was accepted: the commit is answered, and only what it wants counts.
  const tasks = client.accepted.has(event.submissionId) ? [] : event.tasks;
  let graph = client.staged.get(event.submissionId);
  if (graph === undefined) {
    graph = new StagedGraph(event.submissionId);
    client.staged.set(event.submissionId, graph);
    // Counts as a task, so that empty graphs are bounded too.
    client.stagedTaskCount += 1;
  }
  client.stagedTaskCount += graph.addPart(event.partIndex, tasks, event.wants);
  const { stagedTasksMax } = core.options;
  if (client.stagedTaskCount <= stagedTasksMax || graph.refusal !== undefined) return;
  client.stagedTaskCount -= graph.size;
  graph.refuse(
    remoteError(
      'LIMIT_EXCEEDED',
      `The client has sent more than ${stagedTasksMax} tasks or wanted keys that it has not committed. ` +
        `Commit graphs before sending more, or send smaller ones.`,
      { limit: String(stagedTasksMax) },
    ),
  );
}

export function onGraphCommit(core: Core, client: ClientView, event: Said<'graph-commit'>): void {
  const { submissionId } = event;
  const graph = client.staged.get(submissionId) ?? new StagedGraph(submissionId);
  if (client.staged.delete(submissionId)) client.stagedTaskCount -= graph.size + 1;
  const wants = graph.wants.length === 0 ? event.wants : [...graph.wants, ...event.wants];
  if (client.accepted.has(submissionId)) {
    core.outbox.toClient(client.id, { type: 'graph-accepted', submissionId }, true);
    for (const key of wants) {
      const task = core.table.get(key);
      if (task !== undefined) addWant(core, client, task);
    }
    return;
  }
  if (graph.partCount !== event.partCount) {
    graph.refuse(
      remoteError(
        'INVALID_ARGUMENT',
        `The commit says ${event.partCount} parts, and ${graph.partCount} have arrived. Submit the graph again.`,
      ),
    );
  }
  const commit = new GraphCommit(core, client, graph, wants);
  client.commit = commit;
  core.jobs.start(core, commit);
}
