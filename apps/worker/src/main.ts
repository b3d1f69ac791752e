import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { asNannyId, asWorkerId } from '@spillway/kernel';
import { onShutdown, programFiles, tellParent } from '@spillway/platform';
import { startWorker } from './start-worker.js';

/**
 * Entry of a worker that a nanny forks. Its settings come through the environment; the nanny asks it to close over
 * IPC, and it ends with the nanny, however that ends.
 */
const EXIT_CODES = { recycle: 75, closed: 0, lost: 3 };

const { values } = parseArgs({
  options: {
    scheduler: { type: 'string' },
    'nanny-id': { type: 'string' },
    'worker-id': { type: 'string' },
    name: { type: 'string' },
  },
});
const { scheduler, name } = values;
if (
  scheduler === undefined ||
  values['worker-id'] === undefined ||
  values['nanny-id'] === undefined ||
  name === undefined
) {
  process.stderr.write(
    'This program is started by a nanny. Use `spillway worker` to start a worker by hand.\n',
  );
  process.exit(2);
}

const worker = await startWorker(
  scheduler,
  { name },
  {
    workerId: asWorkerId(values['worker-id']),
    nannyId: asNannyId(values['nanny-id']),
    programs: programFiles(pathToFileURL(`${dirname(process.argv[1] ?? '')}/`)),
  },
);

let isClosing = false;
const close = async (reason: string, exitCode: number): Promise<void> => {
  if (isClosing) return;
  isClosing = true;
  await worker.close(reason);
  process.exit(exitCode);
};
process.on('message', (message: { type?: unknown; reason?: unknown }) => {
  if (message.type === 'close') void close(String(message.reason), 0);
});
onShutdown((cause) => {
  // Nobody is left to hand anything to: the data plane goes with us.
  if (cause === 'parent gone') process.exit(0);
  void close(cause, 0);
});
void worker.ended.then(({ how, reason }) => {
  if (how === 'recycle') tellParent({ type: 'recycling', reason });
  return close(reason, EXIT_CODES[how]);
});
tellParent({ type: 'ready', address: worker.address });
