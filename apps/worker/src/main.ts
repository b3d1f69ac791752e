import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { asNannyId, assertNever, asWorkerId } from '@spillway/kernel';
import type { NannyToWorker } from '@spillway/messages';
import { endAtOnce, forgetPreload, onShutdown, programFiles, tellParent } from '@spillway/platform';
import { repeatToParent } from './repeat-to-parent.js';
import { startWorker, type RunningWorker } from './start-worker.js';

/**
 * Entry of a worker that a nanny forks. Its settings come through the environment; the nanny asks it to close over
 * IPC, and it ends with the nanny, however that ends.
 */
const EXIT_CODES = { recycle: 75, closed: 0, retired: 0, lost: 3 };

// It is for this process: programs that tasks start have the allocator of the system. Before any thread copies it.
forgetPreload(process.env);

const { values } = parseArgs({
  options: {
    scheduler: { type: 'string' },
    'nanny-id': { type: 'string' },
    'nanny-name': { type: 'string' },
    'keeps-nanny-name': { type: 'boolean', default: false },
    'worker-id': { type: 'string' },
    name: { type: 'string' },
  },
});
const { scheduler, name } = values;
if (
  scheduler === undefined ||
  values['worker-id'] === undefined ||
  values['nanny-id'] === undefined ||
  values['nanny-name'] === undefined ||
  name === undefined
) {
  process.stderr.write(
    'This program is started by a nanny. Use `spillway worker` to start a worker by hand.\n',
  );
  process.exit(2);
}

// Order matters: who asks it to end, and whether the nanny is still there, is heard from the first moment. A nanny that is
// killed while its worker starts would leave an orphan.
const own: { worker?: RunningWorker; limitBytes?: number } = {};
let isClosing = false;

process.on('message', (message: NannyToWorker) => {
  switch (message.type) {
    case 'close':
      void close(message.reason, EXIT_CODES.closed, message.leavesValues);
      break;
    case 'retire':
      if (own.worker?.retire(message.reason, message.deadlineMs, message.leavesAll) !== true)
        void close(message.reason, EXIT_CODES.closed, message.leavesAll);
      break;
    case 'limit-changed':
      own.limitBytes = message.limitBytes;
      own.worker?.limitChanged(message.limitBytes);
      break;
    default:
      assertNever(message, 'message of the nanny');
  }
});
onShutdown((cause) => {
  if (cause === 'parent gone') {
    // Nobody is left to hand anything to: the data plane goes with us.
    own.worker?.abandon();
    endAtOnce();
  }
  void close(cause, EXIT_CODES.closed);
});

const worker = await startWorker(
  scheduler,
  { name },
  {
    workerId: asWorkerId(values['worker-id']),
    nannyId: asNannyId(values['nanny-id']),
    nannyName: values['nanny-name'],
    keepsNannyName: values['keeps-nanny-name'],
    onHeartbeat: repeatToParent({ type: 'alive' }),
    programs: programFiles(pathToFileURL(`${dirname(process.argv[1] ?? '')}/`)),
  },
);
own.worker = worker;
if (own.limitBytes !== undefined) worker.limitChanged(own.limitBytes);
void worker.ended.then(({ how, reason, leavesValues }) => {
  if (how === 'recycle') tellParent({ type: 'recycling', reason });
  if (how === 'retired') tellParent({ type: 'retired', reason, leavesValues });
  return close(reason, EXIT_CODES[how], leavesValues);
});
tellParent({ type: 'ready', address: worker.address });

async function close(reason: string, exitCode: number, hasNextLife = false): Promise<void> {
  if (isClosing) return;
  isClosing = true;
  // From here on `onShutdown` takes the end of the nanny for part of closing.
  process.once('disconnect', endAtOnce);
  await own.worker?.close(reason, hasNextLife);
  if (own.worker?.hasThread() === true) {
    // `process.exit` would wait for the native call that holds a thread; then there is no exit code to tell the reason.
    tellParent({ type: 'recycling', reason });
    endAtOnce();
  }
  process.exit(exitCode);
}
