import { asClientId, asSubmissionId, asTaskKey } from '@spillway/kernel';
import type { SchedulerToClient, TaskSpec } from '@spillway/messages';
import { openClientLink, SchedulerQueries } from '@spillway/protocol';
import { startScheduler } from './start-scheduler.js';
import { aNetwork, Ear, identity, openWorker, usual } from './testing.spec-d.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const aTask = (key: string): TaskSpec => ({
  key: asTaskKey(key),
  function: { kind: 'preinstalled', module: 'm', exportName: 'f' },
  args: { encoding: 'json', data: Buffer.from('[]') },
  dependencies: [],
  priority: 0,
  retries: 0,
  workers: ['near'],
  allowOtherWorkers: false,
  timeoutMs: false,
  recompute: true,
  resultEncoding: 'json',
});

test('a client that was cut off for longer than a worker may be goes on as if nothing had been', async () => {
  process.env['SPILLWAY_SCHEDULER__WORKER_RECONNECT_GRACE'] = '200ms';
  closing.push(() => delete process.env['SPILLWAY_SCHEDULER__WORKER_RECONNECT_GRACE']);
  const scheduler = await startScheduler({ port: 0, httpPort: false, logLevel: 'silent' });
  closing.push(() => scheduler.close('test over'));
  const network = await aNetwork(scheduler.address, closing);
  const near = await openWorker(scheduler.address, 'near', closing);
  const far = await openWorker(network.address, 'far', closing);
  const ear = new Ear<SchedulerToClient>();
  const client = await openClientLink({
    ...usual,
    address: network.address,
    hello: () => ({ ...identity, clientId: asClientId('c') }),
    listener: ear,
  });
  closing.push(() => client.close('test over'));
  const submissionId = asSubmissionId('g');
  client.send({
    type: 'graph-part',
    submissionId,
    partIndex: 0,
    tasks: [aTask('x')],
    wants: [asTaskKey('x')],
  });
  client.send({ type: 'graph-commit', submissionId, partCount: 1, wants: [] });
  await Promise.all([ear.until('graph-accepted'), near.ear.until('compute-task')]);

  network.cut();
  await ear.until('disconnected');
  const queries = new SchedulerQueries({ address: scheduler.address, timeoutMs: 20_000 });
  closing.push(() => queries.close());
  // The grace of a worker is over when the scheduler has given the other one up.
  while ((await queries.listWorkers()).length > 1);
  const [run] = near.ear.heard.flatMap((message) => (message.type === 'compute-task' ? [message] : []));
  if (run === undefined) throw new Error('nothing was to be computed');
  const { runId, stimulusId, spec } = run;
  near.link.send({ type: 'task-finished', stimulusId, key: spec.key, runId, nbytes: 1, durationMs: 1 });
  network.heal();

  expect(await ear.until('key-in-memory')).toEqual(['graph-accepted', 'disconnected', 'resumed']);
  await far.ear.until('ended SESSION_EXPIRED');
});
