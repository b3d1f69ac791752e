/** Tasks and graphs in the words of the `.proto` files, and how they are run without Spillway's own client. */
import { randomUUID } from 'node:crypto';
import { SCHEDULER, type ForeignClient, type Wire } from './foreign-client.js';

/** In the `.mjs` module that every test cluster has installed as `demo`. */
export const demo = (exportName: string): Wire => ({
  preinstalled: { module: 'demo', export_name: exportName },
});
export const bundled = (moduleHash: string, exportName = 'inc'): Wire => ({
  bundle: { module_hash: moduleHash, export_name: exportName },
});
export const json = (value: unknown): Wire => ({
  encoding: 'ENCODING_JSON',
  data: Buffer.from(JSON.stringify(value)),
});

/** A task of the installed module with JSON arguments. */
export const task = (key: string, exportName: string, args: readonly unknown[], more: Wire = {}): Wire => ({
  key,
  function: demo(exportName),
  args: json(args),
  recompute: true,
  ...more,
});

export const aClient = (): string => `foreign-${randomUUID()}`;

/** Submits one graph; `parts` are lists of tasks. */
export function submit(
  foreign: ForeignClient,
  clientId: string,
  parts: readonly (readonly Wire[])[],
  wants: readonly string[],
  submissionId: string = randomUUID(),
): Promise<Wire> {
  const [first = [], ...rest] = parts;
  return foreign.send(SCHEDULER, 'SubmitGraph', [
    { client_id: clientId, submission_id: submissionId, wants, tasks: first },
    ...rest.map((tasks) => ({ tasks })),
  ]);
}

/** The states of the keys when all have come to an end. */
export async function outcomesOf(
  foreign: ForeignClient,
  clientId: string,
  keys: readonly string[],
): Promise<
  { readonly key: string; readonly state: string; readonly error: { code: string; message: string } | null }[]
> {
  const { outcomes } = await foreign.call(SCHEDULER, 'WaitForKeys', { client_id: clientId, keys });
  return outcomes as Awaited<ReturnType<typeof outcomesOf>>;
}

/** The first words of a client, worker or nanny on its control stream. */
export function opening(hello: Wire, session: Wire = {}): Wire {
  return { opening: { nonce: randomUUID(), epoch: '', received: '0', ...session }, hello };
}
export const PROTOCOL = { major: 1, minor: 0 };
export const clientHello = (more: Wire = {}): Wire => ({
  client_id: aClient(),
  protocol: PROTOCOL,
  software_version: 'a test',
  ...more,
});
export const workerHello = (more: Wire = {}): Wire => ({
  worker_id: randomUUID(),
  name: `raw-${randomUUID()}`,
  address: '127.0.0.1:1',
  nthreads: 1,
  pid: 1,
  protocol: PROTOCOL,
  software_version: 'a test',
  ...more,
});
export const nannyHello = (more: Wire = {}): Wire => ({
  nanny_id: randomUUID(),
  name: `raw-${randomUUID()}`,
  address: '127.0.0.1:1',
  pid: 1,
  protocol: PROTOCOL,
  software_version: 'a test',
  ...more,
});
