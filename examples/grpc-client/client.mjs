/**
 * A client of a Spillway cluster that knows nothing but its .proto files: calls a preinstalled function with JSON
 * arguments and prints the result. The same calls can be made in any language (docs/grpc-api.md).
 *
 *     node apps/cli/bundle/spillway.mjs local --preinstall "prices=$PWD/examples/grpc-client/prices.mjs"
 *     node examples/grpc-client/client.mjs 127.0.0.1:8786
 */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const address = process.argv[2] ?? '127.0.0.1:8786';
const protos = fileURLToPath(new URL('../../proto', import.meta.url));
const files = ['spillway/v1/scheduler.proto', 'spillway/v1/data.proto'];
const loaded = loadSync(files, { includeDirs: [protos], keepCase: false, longs: Number, enums: String });
const { SchedulerService, RelayService } = loadPackageDefinition(loaded).spillway.v1;
const scheduler = new SchedulerService(address, credentials.createInsecure());
const relay = new RelayService(address, credentials.createInsecure());
const call = (method, request) => promisify(scheduler[method]).call(scheduler, request);

const clientId = randomUUID();
const key = `total-${clientId}`;
const task = {
  key,
  function: { preinstalled: { module: 'prices', exportName: 'total' } },
  args: { encoding: 'ENCODING_JSON', data: Buffer.from(JSON.stringify([[19.5, 20.5, 2], 1.05])) },
};

/** One part is enough for a small graph; ending the stream commits it. */
const submit = (part) =>
  new Promise((resolve, reject) => {
    const stream = scheduler.submitGraph((error, answer) => (error ? reject(error) : resolve(answer)));
    stream.end(part);
  });

/** The value in one piece, whichever worker holds it: the scheduler hands it on. */
async function fetchJson(workerId) {
  const chunks = [];
  for await (const { steps } of relay.relayFetch({ workerId, keys: [key] })) {
    if (steps.some(({ missing }) => missing)) throw new Error(`${workerId} does not hold ${key} any more`);
    for (const { chunk } of steps) if (chunk?.length > 0) chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString());
}

try {
  await submit({ clientId, submissionId: randomUUID(), wants: [key], tasks: [task] });
  const { outcomes } = await call('waitForKeys', { clientId, keys: [key] });
  if (outcomes[0].error) throw new Error(`${outcomes[0].error.code}: ${outcomes[0].error.message}`);
  const { keys } = await call('describeKeys', { keys: [key] });
  console.log('total:', await fetchJson(keys[0].whoHas[0].workerId));
  await call('releaseKeys', { clientId, keys: [key] });
} finally {
  await call('closeClient', { clientId });
  scheduler.close();
  relay.close();
}
