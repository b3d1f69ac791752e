/** Settings of clients. Each can also be given to \`connect\` as an option. */
import { bytes, duration } from '../value-kinds.js';

export const clientSettings = {
  'connect-timeout': duration({
    default: 30_000,
    min: 1,
    programs: ['client', 'nanny', 'worker'],
    doc: `How long the first connection to the scheduler may take before it fails with \`CLUSTER_UNREACHABLE\`. Longer
      survives a scheduler that is still starting; shorter reports a wrong address sooner.`,
  }),
  'resume-grace': duration({
    default: 30_000,
    min: 1,
    programs: ['client'],
    doc: `How long a client tries to resume a lost connection before all that waits fails with \`CLUSTER_UNREACHABLE\`. Longer
      than the scheduler's \`client-lease\` is of no use: the keys are released by then.`,
  }),
  'call-timeout': duration({
    default: 30_000,
    min: 1,
    programs: ['client'],
    doc: `Deadline of each single question to the scheduler, such as \`whoHas\`. It does not bound how long tasks run or
      values travel. Longer suits a slow network; shorter notices a stuck one.`,
  }),
  'relay-after': duration({
    default: 1000,
    min: 1,
    programs: ['client'],
    doc: `How long a client tries to reach a worker itself before it asks the scheduler to relay its values. Shorter helps
      where workers cannot be reached; longer keeps bulk data off the scheduler.`,
  }),
  'gather-window': bytes({
    default: 64 * 1024 ** 2,
    min: 1,
    programs: ['client'],
    doc: `How many bytes of results a client fetches ahead of the program that reads them one by one. More overlaps more;
      less uses less of the client's memory. One value is always fetched, however large.`,
  }),
  'inline-argument-max': bytes({
    default: 64 * 1024,
    max: 256 * 1024,
    programs: ['client'],
    doc: `Arguments that encode to more than this are put into the workers' store and travel once, as values; smaller ones
      travel inside the graph, again with each task that has them.`,
  }),
};
