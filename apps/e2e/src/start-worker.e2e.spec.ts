/** Workers started by a program of the user's, with a container that is an object of that program. */
import { connect } from '@spillway/client';
import { startScheduler } from '@spillway/scheduler';
import { startWorker, type WorkerData } from '@spillway/worker';
import { WORK_URL } from './clusters.js';
import type * as Work from './fixtures/work.tasks.js';

class Recording {
  readonly values = new Map<string, Uint8Array>();
  get(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.values.get(key));
  }
  set(key: string, bytes: Uint8Array): Promise<void> {
    this.values.set(key, Uint8Array.from(bytes));
    return Promise.resolve();
  }
  delete(key: string): Promise<void> {
    this.values.delete(key);
    return Promise.resolve();
  }
  // eslint-disable-next-line @typescript-eslint/require-await -- an async generator of what is at hand
  async *keys(): AsyncGenerator<string> {
    yield* this.values.keys();
  }
  count(): Promise<number> {
    return Promise.resolve(this.values.size);
  }
}

const made: string[] = [];
const factory = ({ localDirectory }: { localDirectory: string }, options: { name?: string }): Recording => {
  made.push(`${options.name ?? 'no name'} in ${localDirectory === '' ? 'nothing' : 'a folder'}`);
  return new Recording();
};
const instance = new Recording();

test.each<[string, WorkerData, string[]]>([
  ['an instance', instance, []],
  ['a factory', factory, ['no name in a folder']],
  ['a factory with options', [factory, { name: 'x' }], ['x in a folder']],
])(
  'a worker keeps its values in %s',
  async (_what, data, expected) => {
    made.length = 0;
    const scheduler = await startScheduler({ port: 0, httpPort: false, logLevel: 'error' });
    const worker = await startWorker(scheduler.address, { data, memoryLimit: '2 GiB', logLevel: 'error' });
    try {
      await using client = await connect(scheduler.address);
      const { ones, total } = await client.load<typeof Work>(WORK_URL);
      const values = client.map(ones, [1000, 2000, 3000]);

      expect(await client.gather(client.map(total, values))).toEqual([1000, 2000, 3000]);
      expect(made).toEqual(expected);
      if (data === instance) expect(instance.values.size).toBeGreaterThanOrEqual(3);
    } finally {
      await worker.close('The test is over.');
      await scheduler.close('The test is over.');
    }
  },
  60_000,
);
