/** The real connection over loopback: that the seam of the other specs is what gRPC gives. */
import { createServer } from 'node:net';
import {
  asWorkerId,
  ClusterUnreachableError,
  InvalidArgumentError,
  InvalidConfigError,
  VersionMismatchError,
  type TaskKey,
} from '@spillway/kernel';
import { PROTOCOL_VERSION, type ClientToScheduler, type SchedulerToClient } from '@spillway/messages';
import type { Link } from '@spillway/ports';
import { encodeValue } from '@spillway/values';
import { connect } from './connect.js';
import { LoopbackScheduler } from './testing/loopback-scheduler.js';

/** Finishes each task at once: small results inline, the others where `address` says they are. */
function finishing(scheduler: LoopbackScheduler, value: unknown, address?: string) {
  const wanted: TaskKey[] = [];
  return (message: ClientToScheduler, link: Link<SchedulerToClient>): void => {
    if (message.type === 'graph-part') wanted.push(...(message.wants ?? []));
    if (message.type !== 'graph-commit') return;
    link.send({ type: 'graph-accepted', submissionId: message.submissionId });
    for (const key of [...wanted.splice(0), ...message.wants]) {
      const payload = encodeValue(value);
      const holders = address === undefined ? [] : [{ workerId: asWorkerId('w1'), address }];
      scheduler.values.set(key, payload);
      const inline = address === undefined ? { inline: payload } : {};
      link.send({ type: 'key-in-memory', key, nbytes: payload.data.byteLength, holders, ...inline });
    }
  };
}

/** An address at which nothing listens. */
async function deadAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}

test('says who it is, submits, takes the result, and says good-bye', async () => {
  await using scheduler = await LoopbackScheduler.start();
  scheduler.onMessage = finishing(scheduler, { sum: 3 });
  const client = await connect(scheduler.address);
  expect(scheduler.hellos[0]?.protocol).toEqual(PROTOCOL_VERSION);

  const result = await client
    .submit((a: number, b: number) => ({ sum: a + b }), 1, 2)
    .result({ timeout: '10s' });

  expect(result).toEqual({ sum: 3 });
  expect(scheduler.modules.size).toBe(1);
  await client.close();
  expect(scheduler.said.at(-1)).toEqual({ type: 'client-closing' });
});

test('fetches from the worker itself, and puts values on it', async () => {
  await using scheduler = await LoopbackScheduler.start();
  const value = new Float64Array(20_000).fill(1.5);
  scheduler.onMessage = finishing(scheduler, value, scheduler.workerAddress);
  await using client = await connect({ address: scheduler.address, timeout: '10s' });
  await expect(client.submit((n: number) => n, 1).result()).resolves.toEqual(value);

  const scattered = await client.scatter(value);
  expect(scheduler.values.has(scattered.key as never)).toBe(true);
  await expect(scattered.result()).resolves.toEqual(value);
});

test('fetches through the scheduler what it cannot reach', async () => {
  await using scheduler = await LoopbackScheduler.start();
  const value = new Float64Array(20_000).fill(1.5);
  scheduler.onMessage = finishing(scheduler, value, await deadAddress());
  await using client = await connect(scheduler.address);
  await expect(client.submit((n: number) => n, 1).result({ timeout: '20s' })).resolves.toEqual(value);
});

test('asks what the scheduler and the workers know', async () => {
  await using scheduler = await LoopbackScheduler.start();
  await using client = await connect(scheduler.address);
  await expect(client.workers()).resolves.toMatchObject([{ workerId: 'w1', name: 'worker-1' }]);
  await expect(client.hasWhat()).resolves.toEqual(new Map([['w1', []]]));
  await expect(client.run((...args: number[]) => args, [1, 2])).resolves.toEqual(new Map([['w1', [1, 2]]]));
});

test('a scheduler that is not there is an error within the timeout', async () => {
  await expect(connect(await deadAddress(), { timeout: 300 })).rejects.toThrow(ClusterUnreachableError);
});

test('a refusal of the scheduler is the error it gave', async () => {
  await using scheduler = await LoopbackScheduler.start();
  scheduler.refusal = new VersionMismatchError('too old');
  await expect(connect(scheduler.address)).rejects.toThrow(VersionMismatchError);
});

test('an aborted connect rejects with the reason', async () => {
  const abort = new AbortController();
  const connecting = connect(await deadAddress(), { signal: abort.signal });
  abort.abort(new Error('enough'));
  await expect(connecting).rejects.toThrow('enough');
});

test('when the scheduler ends the session, what waits rejects', async () => {
  const scheduler = await LoopbackScheduler.start();
  await using client = await connect({ address: scheduler.address, resumeGrace: '1s' });
  const result = client.submit((n: number) => n, 1).result();
  const rejects = expect(result).rejects.toThrow(ClusterUnreachableError);
  await scheduler[Symbol.asyncDispose]();
  await rejects;
});

test.each(['localhost', 'localhost:', 'localhost:0', 'localhost:99999', ''])(
  '%p is no address',
  async (address) => {
    await expect(connect(address)).rejects.toThrow(InvalidArgumentError);
  },
);

test('variables are read, and what is given in code wins over them', async () => {
  const variable = 'SPILLWAY_CLIENT__CONNECT_TIMEOUT';
  process.env[variable] = '51ms';
  try {
    await expect(connect(await deadAddress())).rejects.toThrow(/ 51 ms/);
    await expect(connect(await deadAddress(), { timeout: 52 })).rejects.toThrow(/ 52 ms/);
  } finally {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the variable of this test
    delete process.env[variable];
  }
});

test('wrong settings are refused before anything is connected', async () => {
  await expect(connect('127.0.0.1:1', { relayAfter: '1m', callTimeout: '10s' })).rejects.toThrow(
    InvalidConfigError,
  );
  await expect(connect('127.0.0.1:1', { resumeGrace: 'long' })).rejects.toThrow(/resumeGrace/);
});
