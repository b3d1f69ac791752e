/** Settings of workers. A nanny hands its own on to the workers it starts. */
import { jsonObject } from '../json-object.js';
import { memoryLimit } from '../memory-limit.js';
import { moduleExport } from '../module-export.js';
import { textMap } from '../text-map.js';
import { bytes, choiceOrOff, count, duration, fraction, port, text, yesNo } from '../value-kinds.js';

export const workerSettings = {
  name: text({
    default: false,
    mayBeOff: true,
    example: 'reader-1',
    programs: ['worker'],
    flag: '--name',
    doc: `Name of the worker, the same in each of its lives, by which tasks can be restricted to it. Two workers of a
      cluster cannot have the same. \`false\` makes one up. A nanny names its workers itself: see \`nanny.name\`.`,
  }),
  nthreads: count({
    default: 1,
    min: 1,
    max: 1024,
    programs: ['nanny', 'worker'],
    flag: '--nthreads',
    doc: `How many tasks a worker executes at once, each in a thread of its own. More shares one store and one memory limit
      among more tasks, without copies between them; fewer, with more workers, loses less when one of them dies.`,
  }),
  host: text({
    default: '127.0.0.1',
    example: '0.0.0.0',
    programs: ['worker'],
    flag: '--host',
    doc: `Address on which the worker serves values to other workers and to clients. Beyond loopback it needs \`tls.cert\`
      and \`tls.key\`, or \`security.insecure\`.`,
  }),
  port: port({
    default: 0,
    programs: ['worker'],
    flag: '--port',
    doc: 'Port on which the worker serves values. Fix it only where a firewall asks for it, with one worker per address.',
  }),
  'contact-address': text({
    default: false,
    mayBeOff: true,
    example: '10.0.0.7:9000',
    programs: ['worker'],
    flag: '--contact-address',
    doc: `The \`host:port\` that others are told to fetch this worker's values from, where it differs from the address it
      listens on. \`false\` means the listening address.`,
  }),
  'local-directory': text({
    default: false,
    mayBeOff: true,
    example: '/var/lib/spillway',
    programs: ['nanny', 'worker'],
    flag: '--local-directory',
    doc: `Folder in which workers make a folder of their own for spilled values and modules. Best a fast local disk, never
      one that is memory. \`false\` means the operating system's folder for temporary files.`,
  }),
  'install-folder': text({
    default: false,
    mayBeOff: true,
    example: '/srv/app',
    programs: ['nanny', 'worker'],
    flag: '--install-folder',
    doc: `Folder whose \`node_modules\` serves the packages that uploaded modules leave out: native addons, and those marked
      external. \`false\` means the folder the program was started in.`,
  }),
  preinstalled: textMap({
    default: {},
    example: 'resize=/srv/app/resize.js',
    programs: ['nanny', 'worker'],
    flag: '--preinstall',
    doc: `Modules that are installed with the worker and can be called by name, as \`module#export\` with JSON arguments,
      from any language: each name with the file or package it stands for. Names not listed are refused.`,
  }),
  data: moduleExport({
    default: false,
    mayBeOff: true,
    example: './my-container.js#createMyContainer',
    programs: ['nanny', 'worker'],
    flag: '--data',
    doc: `What a worker keeps its values in, instead of memory and the files it spills to: the container that a module
      exports, or a function that makes one. The file or package is looked for from \`worker.install-folder\`. The
      thresholds \`target\` and, unless the container can evict, \`spill\` are ignored then: see user-containers.md.
      \`false\` keeps values in memory and spills them.`,
  }),
  'data-options': jsonObject({
    default: {},
    example: '{"folder":"values"}',
    programs: ['nanny', 'worker'],
    flag: '--data-options',
    doc: `What the function that \`worker.data\` names is given beside the worker's own folder. What may stand in it is up to
      that function.`,
  }),
  validate: yesNo({
    default: false,
    programs: ['nanny', 'worker'],
    flag: '--validate',
    doc: `Fail tasks that write into their inputs with \`INPUT_MUTATED\`. For tests and development: inputs are hashed
      before and after each task, which reads all of their bytes.`,
  }),
  'cancel-grace': duration({
    default: 5000,
    min: 1,
    programs: ['nanny', 'worker'],
    doc: `How long a thread that was told to end may go on in a native call before the whole worker is recycled, its other
      tasks running again elsewhere. Longer spares them; shorter frees the slot sooner.`,
  }),
  'abort-grace': duration({
    default: 100,
    programs: ['nanny', 'worker'],
    doc: `How long a cancelled task may use its abort signal to tidy up before its thread is ended. Longer lets more tasks
      end in order and keeps their warm thread; each one that does not listen holds its slot for as long.`,
  }),
  'retire-deadline': duration({
    default: 7_000,
    mayBeOff: true,
    programs: ['nanny', 'worker'],
    flag: '--retire-deadline',
    doc: `How long a nanny (or a worker without one) that gets SIGTERM may take to end what runs and to have what only its
      workers have copied to others. It ends sooner when that is done, or when no worker is left to copy to and everything
      could be computed again. The default leaves 3 s of the 10 s that Docker gives to a container; with a longer
      \`stop_grace_period\` (Kubernetes: 30 s) give more, or large data is computed again. \`false\` ends at once, as SIGINT
      and a second SIGTERM do.`,
  }),
  'death-timeout': duration({
    default: false,
    mayBeOff: true,
    programs: ['nanny', 'worker'],
    flag: '--death-timeout',
    doc: `How long a worker or nanny tries to reach the scheduler when it starts before it ends itself, and how long a nanny
      gives a worker to register before it kills and replaces it. \`false\` means \`client.connect-timeout\` for the one and a
      minute for the other. What is lost later has \`worker.scheduler-wait\`.`,
  }),
  'scheduler-wait': duration({
    default: 60_000,
    min: 100,
    programs: ['nanny', 'worker'],
    doc: `How long a worker or nanny that has lost the scheduler tries to reach it again before it ends. Meanwhile a worker
      finishes what it executes and keeps what it holds. Longer rides out a scheduler that takes long to be started again;
      shorter frees a machine sooner whose scheduler is gone for good.`,
  }),
  memory: {
    limit: memoryLimit({
      default: { kind: 'auto' },
      programs: ['nanny', 'worker'],
      flag: '--memory-limit',
      doc: `How much memory each worker may use, of which the thresholds below are shares. \`auto\` is the memory of the
        machine or container without what the nanny keeps, by the worker's part of its threads; a number up to 1 is a share
        of that memory; \`none\` turns the thresholds off, and the operating system decides who dies. What each comes to is
        in memory-limit.md.`,
    }),
    'limit-interval': duration({
      default: 5000,
      min: 100,
      mayBeOff: true,
      programs: ['nanny', 'worker'],
      doc: `How often the memory of the machine or container is looked at again, since containers are resized while they run.
        A change moves every threshold at once. Shorter follows sooner and reads a few small files more often; \`false\`
        keeps what was found at the start.`,
    }),
    target: fraction({
      default: 0.6,
      mayBeOff: true,
      programs: ['nanny', 'worker'],
      doc: `Share of the limit that values counted by the worker may take before the least recently used are spilled to
        disk; spilling for process memory ends here too. Lower spills sooner and reads back more often; \`false\` leaves
        spilling to \`worker.memory.spill\` alone, which then stops where it starts.`,
    }),
    spill: fraction({
      default: 0.7,
      mayBeOff: true,
      programs: ['nanny', 'worker'],
      doc: `Process memory above this share of the limit starts spilling, whatever the counted values come to. Lower spills
        sooner and reads back more often; \`false\` trusts the counted values alone.`,
    }),
    pause: fraction({
      default: 0.8,
      mayBeOff: true,
      programs: ['nanny', 'worker'],
      doc: `Process memory above this share of the limit pauses the worker: it starts no task and fetches nothing until
        memory is freed. Lower keeps more room for the tasks already running and stands still more often.`,
    }),
    terminate: fraction({
      default: 0.95,
      mayBeOff: true,
      programs: ['nanny', 'worker'],
      doc: `Process memory above this share of the limit makes the nanny kill the worker and start another. Higher uses more
        of the memory; close to 1 the operating system or container may be first, and it explains nothing.`,
    }),
    transfer: fraction({
      default: 0.1,
      mayBeOff: true,
      programs: ['nanny', 'worker'],
      doc: `Share of the limit that values arriving from other workers may take at a time. More overlaps more transfers;
        less leaves more room for tasks. One transfer is always let through. \`false\` sets no bound.`,
    }),
    'max-spill': bytes({
      default: false,
      mayBeOff: true,
      programs: ['nanny', 'worker'],
      doc: `How many bytes of files each worker may spill to. Beyond it values stay in memory, and the worker pauses when that
        is short. Less leaves more of the disk to others; while files are compacted they may take a little more.
        \`false\` takes what the disk has.`,
    }),
    adopt: yesNo({
      default: true,
      programs: ['nanny', 'worker'],
      doc: `Whether a worker takes over what its former life, of the same nanny and name, left on disk, if that died without
        closing or was recycled, and the machine was not started again since; what only its memory held is computed again
        all the same. Off, all values of a worker that dies are lost, and their files are removed by whoever starts next.`,
    }),
    'spill-compression': choiceOrOff(['auto', 'lz4', 'gzip', 'brotli'], {
      default: 'auto',
      programs: ['nanny', 'worker'],
      doc: `How spilled values are compressed. \`auto\` uses \`lz4\` for values that shrink where that takes less time than
        the disk, as measured, would take for the bytes saved; a name always compresses what shrinks at all, \`lz4\` fastest
        and \`brotli\` and \`gzip\` to less, which costs processor time and saves room on the disk; \`false\` never does.`,
    }),
    'spill-on-tmpfs': yesNo({
      default: false,
      programs: ['nanny', 'worker'],
      doc: `Spill even where \`worker.local-directory\` is on a file system that is memory itself (tmpfs, ramfs). It frees
        nothing unless that memory is swapped or is not counted against the worker; off keeps values in memory instead.`,
    }),
    'monitor-interval': duration({
      default: 200,
      min: 10,
      programs: ['nanny', 'worker'],
      doc: `How often process memory is looked at, by the worker for spilling and pausing and by the nanny for terminating.
        Shorter reacts to faster growth and costs some processor time.`,
    }),
    'recent-to-old-time': duration({
      default: 30_000,
      min: 1,
      programs: ['nanny', 'worker'],
      doc: `How long unmanaged memory counts as recent, which is what tasks use for a moment and not what stays. Set it longer
        than your tasks typically run; then it takes as long until a leak shows as one.`,
    }),
    'pause-release-gap': fraction({
      default: 0.05,
      mayBeOff: true,
      programs: ['nanny', 'worker'],
      doc: `How far below \`worker.memory.pause\`, as a share of the limit, a paused worker has to come before it goes on. More
        keeps it from pausing again at once; less lets it go on sooner. \`false\` means no gap.`,
    }),
    'pause-return': duration({
      default: 1000,
      mayBeOff: true,
      programs: ['nanny', 'worker'],
      doc: `How long a paused worker keeps tasks that it has not started before it gives them back, to run elsewhere. Longer
        spares fetching their inputs again after a short pause; \`false\` keeps them until the worker goes on.`,
    }),
    'pause-recycle': duration({
      default: 15_000,
      mayBeOff: true,
      programs: ['nanny', 'worker'],
      doc: `How long a worker stays paused with nothing to spill, nothing to reclaim and no task running before it asks for a
        fresh process in its place. Longer waits for memory to be freed from elsewhere; \`false\` waits for ever.`,
    }),
    'spill-debt': fraction({
      default: 0.1,
      mayBeOff: true,
      programs: ['nanny', 'worker'],
      doc: `Share of the limit that may be on its way to disk before no new task starts. Less holds tasks back sooner where
        they produce faster than the disk writes; \`false\` never does, and memory may run away.`,
    }),
    'garbage-debt': fraction({
      default: 0.0625,
      mayBeOff: true,
      programs: ['nanny', 'worker'],
      doc: `Share of the limit (at least 16 MiB, at most 128 MiB) that values may take which were dropped but not collected,
        before all threads of the worker are asked to collect. Less keeps process memory lower and costs each thread some
        milliseconds more often; \`false\` leaves them to pressure, as V8 does not collect them by itself.`,
    }),
    'decoded-cache': fraction({
      default: false,
      mayBeOff: true,
      programs: ['nanny', 'worker'],
      doc: `Share of the limit that threads may take, together, to keep the decoded form of values (over 4 KiB, and more than
        binary data) that they got or returned, so that a chain of tasks on one thread does not decode again. More spares
        more decoding; it counts as managed memory and goes before anything is spilled. With it on, a task must not change
        its inputs, nor what it has returned: the next task would see it. \`false\` decodes for each task, as does
        \`worker.validate\`.`,
    }),
    trim: bytes({
      default: 64 * 1024 * 1024,
      mayBeOff: true,
      programs: ['nanny', 'worker'],
      doc: `How much freed memory the C library may keep before it is told to give it back, where that is possible. Less keeps
        process memory lower; each time costs milliseconds, more for a larger hoard. \`false\` does it only when the worker
        is short of memory.`,
    }),
  },
  connections: {
    incoming: count({
      default: 10,
      min: 1,
      programs: ['nanny', 'worker'],
      doc: `How many transfers a worker serves at a time; others are told to come again, or elsewhere. More serves a popular
        value sooner; less bounds the memory that slow receivers hold.`,
    }),
    outgoing: count({
      default: 50,
      min: 1,
      programs: ['nanny', 'worker'],
      doc: `From how many other workers a worker fetches at a time. More helps many small transfers; fewer finishes each
        one sooner.`,
    }),
  },
  transfer: {
    'message-bytes-limit': bytes({
      default: 50_000_000,
      min: 1,
      programs: ['nanny', 'worker'],
      doc: `How many bytes of values are asked from one worker in one go; a single larger value is still fetched. More saves
        round trips for small values; less spreads the fetching over more holders.`,
    }),
  },
};
