import { computeInOneProcess, flightsPath, runFlightsJob } from '@spillway/flights';
import { startCluster } from './clusters.js';

test('the flights job gives the identical answer to one process', async () => {
  await using cluster = await startCluster({ memoryLimit: '256 MiB' });
  await using client = await cluster.connect();
  const summary = await runFlightsJob(client, { path: flightsPath(), partitionCount: 8 });
  expect(summary).toEqual(await computeInOneProcess(flightsPath()));
}, 180_000);
