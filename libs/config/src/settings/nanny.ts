/** Settings of nannies: the workers they start, and how they end and restart them. */
import { textMap } from '../text-map.js';
import { count, duration, fraction, port, text } from '../value-kinds.js';

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
      before a process starts, such as allocator options.`,
  }),
  'close-timeout': duration({
    default: 10_000,
    min: 1,
    programs: ['nanny'],
    doc: `How long a worker that was asked to close may take to finish before it is killed. Longer lets it hand over more;
      shorter ends the nanny sooner. Keep it below what the container or service manager allows the nanny.`,
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
};
