import { fileURLToPath } from 'node:url';
import { LocalCluster, type Client } from '@spillway/client';
import type * as Work from './fixtures/work.tasks.js';

export const WORK_URL = new URL('./fixtures/work.tasks.ts', import.meta.url);
/** Installed on the workers of every test cluster as `demo`. */
const DEMO_MODULE = fileURLToPath(new URL('./fixtures/demo.mjs', import.meta.url));

/** The fixture module's functions as handles of a client. */
export const loadWork = (client: Client) => client.load<typeof Work>(WORK_URL);

/** A local cluster of real processes; closed by the suite that started it. */
export function startCluster(options: Parameters<typeof LocalCluster.start>[0] = {}): Promise<LocalCluster> {
  return LocalCluster.start({
    workers: 2,
    nthreads: 1,
    memoryLimit: '512 MiB',
    logLevel: 'warn',
    ...options,
    settings: { 'worker.preinstalled': { demo: DEMO_MODULE }, ...options.settings },
  });
}
