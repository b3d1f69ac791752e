/** Settings of nannies: the workers they start, and how they end and restart them. */
import { textMap } from '../text-map.js';
import { bytes, choice, count, duration, fraction, port, text } from '../value-kinds.js';

export const nannySettings = {
  name: text({
    default: false,
    mayBeOff: true,
    example: 'rack-7',
    programs: ['nanny'],
    flag: '--name',
    doc: `Name of the nanny; its workers are called after it, with \`-0\`, \`-1\` and so on behind it. Two nannies of a
      cluster cannot have the same. \`false\` makes one up.`,
  }),
  host: text({
    default: '127.0.0.1',
    example: '0.0.0.0',
    programs: ['nanny'],
    flag: '--host',
    doc: `Address on which the nanny listens for operators (status, restart, stop). Beyond loopback it needs \`tls.cert\` and
      \`tls.key\`, or \`security.insecure\`.`,
  }),
  port: port({
    default: 0,
    programs: ['nanny'],
    flag: '--port',
    doc: 'Port of the nanny. With 0 any free port is taken, and printed when the nanny is ready.',
  }),
  workers: count({
    default: 1,
    min: 1,
    max: 1024,
    programs: ['nanny'],
    flag: '--workers',
    doc: `How many workers the nanny keeps running. More workers lose less when one dies and copy more between them; more
      threads in each (\`worker.nthreads\`) is the other way round.`,
  }),
  'memory-share': fraction({
    default: 1,
    programs: ['nanny'],
    flag: '--memory-share',
    doc: `Share of the machine's or container's memory and cores that this nanny's workers divide among them where
      \`worker.memory.limit\` is \`auto\`. For several nannies on one machine: their shares should come to 1 together, or
      their workers are promised more than there is.`,
  }),
  environ: textMap({
    default: {},
    example: 'MALLOC_ARENA_MAX=2',
    programs: ['nanny'],
    flag: '--environ',
    doc: `Environment variables that workers get in addition to the nanny's own, or instead of them. For what has to be set
      before a process starts, such as allocator options. It wins over the nanny's environment and over every setting;
      nothing behind a name removes the variable, and so does \`false\` for those that the nanny sets by itself.`,
  }),
  allocator: choice(['system', 'jemalloc', 'auto'], {
    default: 'system',
    programs: ['nanny'],
    flag: '--allocator',
    doc: `The memory allocator of workers. \`system\` is the C library's, which workers tell to give back what it keeps
      (\`worker.memory.trim\`). \`jemalloc\` gives back by itself after a second and works where the C library cannot be
      told, but costs two to three times the processor time to receive data; it must be installed. \`auto\` is jemalloc
      where there is one. What each keeps and costs is in allocator.md.`,
  }),
  malloc: {
    'trim-threshold': bytes({
      default: 64 * 1024,
      mayBeOff: true,
      programs: ['nanny'],
      doc: `How much free memory at its end a heap of glibc keeps (\`MALLOC_TRIM_THRESHOLD_\`). Setting it, to whatever, also
        stops glibc from raising the size from which each piece of memory is given back alone: a store whose values came
        and went kept 100 MiB instead of 394. Less costs system calls; \`false\` leaves both to glibc. The nanny's own
        variable wins.`,
    }),
    'mmap-threshold': bytes({
      default: false,
      mayBeOff: true,
      min: 4096,
      max: 32 * 1024 * 1024,
      programs: ['nanny'],
      doc: `From which size on glibc gives each piece of memory back alone when it is freed (\`MALLOC_MMAP_THRESHOLD_\`).
        \`64 KiB\` keeps what arrives over the network out of the heaps, and makes receiving it cost five to ten times as much,
        since each piece is fresh from the kernel; \`false\` is 128 KiB while there is a trim threshold. The nanny's
        own variable wins.`,
    }),
    'arena-max': count({
      default: 2,
      min: 1,
      max: 1024,
      mayBeOff: true,
      programs: ['nanny'],
      doc: `How many heaps glibc has for all threads of a worker (\`MALLOC_ARENA_MAX\`), each of which keeps what was freed in
        it. With 2 an idle worker is 7 MB smaller than with a heap for each thread, at the same speed; more spares threads
        that allocate at once waiting for each other; \`false\` leaves it to glibc. The nanny's own variable wins.`,
    }),
  },
  'close-timeout': duration({
    default: 10_000,
    min: 1,
    programs: ['nanny'],
    doc: `How long a worker that was asked to close may take to finish before it is killed. Longer lets it hand over more;
      shorter ends the nanny sooner. Keep it below what the container or service manager allows the nanny.`,
  }),
  'worker-ttl': duration({
    default: 30_000,
    min: 1,
    mayBeOff: true,
    programs: ['nanny'],
    flag: '--worker-ttl',
    doc: `How long a worker may give its nanny no sign of life before it is killed as hung and replaced. Its control loop gives
      one with each heartbeat; tasks cannot hold it up, a stopped process, a swapping machine or a container of yours
      (\`worker.data\`) can. Time in which the nanny did not run either does not count. Shorter replaces it sooner; longer lets
      it come back with its values, though the scheduler has given its tasks to others by then. \`false\` waits for ever, for
      debugging.`,
  }),
  'restart-backoff': {
    base: duration({
      default: 100,
      min: 1,
      programs: ['nanny'],
      doc: `How long the nanny waits before it restarts a worker that died soon after its start; doubled with each such death
        in a row. Shorter is back sooner; longer spares the machine a worker that cannot start.`,
    }),
    max: duration({
      default: 30_000,
      min: 1,
      programs: ['nanny'],
      doc: 'The longest such wait, however often the worker has died.',
    }),
  },
  quarantine: {
    deaths: count({
      default: 5,
      min: 2,
      max: 1000,
      mayBeOff: true,
      programs: ['nanny'],
      doc: `So many deaths of workers of one name within \`nanny.quarantine.window\` put it in quarantine: no worker of that name is
        started for a while, \`spillway workers\` shows it, \`spillway release\` ends it. Fewer gives up sooner; more costs more
        attempts, and tasks that were executing. \`false\` starts workers for ever, with growing rests.`,
    }),
    window: duration({
      default: 60_000,
      min: 1,
      programs: ['nanny'],
      doc: 'Within what time these deaths have to come. Longer also catches a worker that lives a while each time.',
    }),
    release: duration({
      default: 600_000,
      min: 1,
      mayBeOff: true,
      programs: ['nanny'],
      doc: `How long a quarantine lasts unless an operator ends it. Shorter tries again sooner; \`false\` waits for the
        operator.`,
    }),
  },
};
