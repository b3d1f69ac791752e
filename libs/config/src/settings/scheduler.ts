/** Settings of the scheduler, and of what the cluster does about its workers and clients. */
import { bytes, count, duration, port, text, yesNo } from '../value-kinds.js';

export const schedulerSettings = {
  host: text({
    default: '127.0.0.1',
    example: '0.0.0.0',
    programs: ['scheduler'],
    flag: '--host',
    doc: `Address on which the scheduler listens for workers, nannies and clients. The default can be reached from this
      machine only. Whoever reaches this port can run code: beyond loopback it needs \`tls.cert\` and \`tls.key\`, or
      \`security.insecure\`.`,
  }),
  port: port({
    default: 8786,
    programs: ['scheduler'],
    flag: '--port',
    doc: 'Port of the scheduler. With 0 any free port is taken, and printed when the scheduler is ready.',
  }),
  'http-port': port({
    default: 8787,
    mayBeOff: true,
    programs: ['scheduler'],
    flag: '--http-port',
    doc: `Port of the scheduler's pages, metrics and health checks, on the same host. \`false\` serves none of them, which
      saves some memory and leaves nothing to watch the cluster with.`,
  }),
  'contact-address': text({
    default: false,
    mayBeOff: true,
    example: 'scheduler.example.org:8786',
    programs: ['scheduler'],
    flag: '--contact-address',
    doc: `The \`host:port\` that others are told to reach the scheduler by, where it differs from the address it listens
      on: behind a port mapping, or when it listens on all interfaces. \`false\` means the listening address.`,
  }),
  'allowed-failures': count({
    default: 3,
    group: 'cluster',
    programs: ['scheduler'],
    flag: '--allowed-failures',
    doc: `How many workers may die while they execute a task before the task is given up with \`KILLED_WORKER\`: the next
      death is the last. More survives unlucky workers; each further try can cost another worker and its data when the
      task itself is what kills them.`,
  }),
  'client-lease': duration({
    default: 30_000,
    min: 100,
    programs: ['scheduler'],
    doc: `How long a client's keys and its session are kept after its connection is lost. A client that is back within it finds everything
      as it left it; longer keeps the results of clients that crashed in memory for longer.`,
  }),
  journal: text({
    default: 'auto',
    mayBeOff: true,
    example: '/var/lib/spillway/journal',
    programs: ['scheduler'],
    flag: '--journal',
    doc: `Folder in which the scheduler writes down what was submitted, wanted and finished, so that one that is started
      again after a crash goes on where it ended. \`auto\` is a folder of its own for this user and port among the operating
      system's temporary files, and none with port 0; put it on a disk that outlives the container where the scheduler runs
      in one. \`false\` (or --no-journal) writes nothing: a crash of the scheduler loses all graphs then.`,
  }),
  'recovery-wait': duration({
    default: 10_000,
    min: 100,
    programs: ['scheduler'],
    doc: `How long a scheduler that was started again waits for the workers that it knew before it has anything run or computed
      again. It goes on as soon as all are back. Longer spares work when hosts come back slowly; shorter does not hold up
      the rest for a host that is gone.`,
  }),
  'worker-reconnect-grace': duration({
    default: 5000,
    group: 'cluster',
    programs: ['scheduler'],
    doc: `How long a worker whose connection is lost may take to come back with its tasks and values. Longer rides out
      longer network failures; shorter recomputes sooner what a dead worker held. A worker whose nanny reports its death
      is not waited for.`,
  }),
  'no-workers-timeout': duration({
    default: false,
    mayBeOff: true,
    programs: ['scheduler'],
    flag: '--no-workers-timeout',
    doc: `How long a task waits for a worker that may run it before it errs with \`NO_VALID_WORKER\`. \`false\` waits for
      ever, which suits a cluster that grows on demand and hides a mistyped worker name.`,
  }),
  'memory-stuck-timeout': duration({
    default: 30_000,
    min: 100,
    mayBeOff: true,
    programs: ['scheduler'],
    flag: '--memory-stuck-timeout',
    doc: `How long nothing may move while all workers are paused for their memory and no task would free some, before the
      waiting tasks err with \`CLUSTER_MEMORY_STUCK\`, which says who holds what. Longer gives workers more time to free
      memory or to be replaced (\`worker.memory.pause-recycle\` should be shorter); shorter tells users sooner. \`false\`
      waits for ever, in silence.`,
  }),
  'retire-deadline': duration({
    default: 60_000,
    programs: ['scheduler'],
    flag: '--retire-deadline',
    doc: `How long a worker that is retired may take to end what it runs and to have its results copied, when whoever asks
      does not say. Longer saves more work on large data and slow networks; shorter lets machines go sooner, and computes
      again what was not copied.`,
  }),
  prefetch: duration({
    default: 10,
    programs: ['scheduler'],
    doc: `How much work, by expected duration, a worker is sent ahead of what it executes, so that it never waits for the
      next task. More hides longer round trips to far workers; less keeps more freedom to place tasks where they fit.`,
  }),
  'heartbeat-interval': duration({
    default: 1000,
    min: 10,
    group: 'cluster',
    programs: ['scheduler', 'nanny', 'worker', 'client'],
    doc: `How often programs show that they are alive; a connection silent for three of these is taken for dead. Shorter
      finds a dead machine sooner and costs messages; too short takes a busy machine for a dead one.`,
  }),
  validate: yesNo({
    default: false,
    programs: ['scheduler'],
    flag: '--validate',
    doc: `Check the scheduler's invariants (and, where workers read this setting too, theirs) after every event, and stop with the story of what went wrong when one does not
      hold. For tests and bug reports: every event takes longer, more so with more tasks.`,
  }),
  'module-cache-max': bytes({
    default: 256 * 1024 ** 2,
    programs: ['scheduler'],
    doc: `How many bytes of uploaded modules that no task refers to any more are kept. More spares clients that come back
      an upload; less saves the scheduler's memory. Modules in use are kept in any case.`,
  }),
};
