import { LocalCluster, type Client } from '@spillway/client';

/** Runs on a fresh local cluster of two workers with one thread each. */
export async function withCluster<T>(work: (client: Client) => Promise<T>): Promise<T> {
  await using cluster = await LocalCluster.start({
    workers: 2,
    nthreads: 1,
    memoryLimit: '1 GiB',
    validate: false,
    logLevel: 'error',
  });
  await using client = await cluster.connect();
  return await work(client);
}
