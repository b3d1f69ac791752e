/** Real transfer threads for specs, closed after each test. */
import type { Logger, ValueSource } from '@spillway/ports';
import { asTaskKey, asWorkerId } from '@spillway/kernel';
import type { ArrivedValue, GatherOutcome, GatherRequest } from '@spillway/ports';
import { bundleThreadEntry } from '@spillway/testkit';
import { TransferThread, type TransferThreadOptions } from './transfer-thread.js';

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT,
};

export const key = asTaskKey;
export const PEER = asWorkerId('peer');
export const MiB = 1024 * 1024;

const RUN = "import { runTransferThread } from '@spillway/worker-transfer'; runTransferThread();";

export interface TransferRig {
  readonly open: { close(): unknown }[];
  readonly start: (source: ValueSource, options?: Partial<TransferThreadOptions>) => Promise<TransferThread>;
}

/** Call once, at the top of the file. */
export function transferRig(): TransferRig {
  const open: { close(): unknown }[] = [];
  let entry: URL;
  beforeAll(async () => {
    entry = await bundleThreadEntry(RUN, __dirname);
  }, 60_000);
  afterEach(async () => {
    for (const thing of open.splice(0).reverse()) await thing.close();
  });
  return {
    open,
    start: async (source, options = {}) => {
      const fixed = { entry, listenAddress: '127.0.0.1:0', source, servingMax: 4, logger: SILENT };
      const thread = await TransferThread.start({ ...fixed, ...options });
      open.push(thread);
      return thread;
    },
  };
}

/** The entry of a thread that dies when it gets a message of this type. */
export const entryThatDiesOf = (messageType: string): Promise<URL> =>
  bundleThreadEntry(
    `import { parentPort } from 'node:worker_threads';
     parentPort.on('message', (messages) => {
       if (messages.some((message) => message.type === '${messageType}')) throw new Error('boom');
     });
     ${RUN}`,
    __dirname,
  );

export const request = (address: string, ...names: string[]): GatherRequest => ({
  peerId: PEER,
  address,
  // A receiver believes no size that is far beyond the expected one.
  keys: names.map((name) => ({ key: key(name), nbytes: 64 * MiB })),
});

export function valuesOf(outcome: GatherOutcome): readonly ArrivedValue[] {
  if (outcome.type === 'gather-success') return outcome.values;
  throw new Error(`The gather ended in ${outcome.type}`);
}
