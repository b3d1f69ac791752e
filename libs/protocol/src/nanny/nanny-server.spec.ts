import { asNannyId, asWorkerId, UnknownWorkerError } from '@spillway/kernel';
import { NannyClient } from './nanny-client.js';
import type { NannyStatus } from './nanny-messages.js';
import { NannyServer, type NannyHandlers } from './nanny-server.js';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function nannyWith(handlers: Partial<NannyHandlers>): Promise<NannyClient> {
  const refuse = (): never => {
    throw new Error('not used by this test');
  };
  const server = await NannyServer.listen({
    address: '127.0.0.1:0',
    handlers: { getStatus: refuse, restartWorker: refuse, releaseWorker: refuse, stop: refuse, ...handlers },
  });
  closing.push(() => server.close());
  const client = new NannyClient({ address: server.address, timeoutMs: 10_000 });
  closing.push(() => client.close());
  return client;
}

describe('the service of a nanny', () => {
  test('tells what each slot is doing', async () => {
    const status: NannyStatus = {
      nannyId: asNannyId('nanny-1'),
      name: 'host-a',
      softwareVersion: '1.2.3',
      slots: [
        { workerName: 'host-a-0', state: 'running', lives: 3, workerId: asWorkerId('w-3'), pid: 77 },
        { workerName: 'host-a-1', state: 'resting', lives: 1 },
        { workerName: 'host-a-2', state: 'empty', lives: 0 },
        {
          workerName: 'host-a-3',
          state: 'quarantined',
          lives: 5,
          quarantineReason: '5 deaths within 900 ms',
        },
      ],
    };
    const client = await nannyWith({ getStatus: () => status });

    expect(await client.getStatus()).toEqual(status);
  });

  test('restarts a worker, or says that it has none of that id', async () => {
    const restarted: unknown[] = [];
    const client = await nannyWith({
      restartWorker: (workerId, reason) => {
        if (workerId !== asWorkerId('w-1')) throw new UnknownWorkerError(`No worker ${workerId} here.`);
        restarted.push({ workerId, reason });
      },
    });

    await client.restartWorker(asWorkerId('w-1'), 'leaks');

    expect(restarted).toEqual([{ workerId: 'w-1', reason: 'leaks' }]);
    await expect(client.restartWorker(asWorkerId('w-2'), '')).rejects.toBeInstanceOf(UnknownWorkerError);
    await expect(client.restartWorker(asWorkerId(''), '')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { field: 'worker_id' },
    });
  });

  test('releases a worker, or says that none of that name is in quarantine', async () => {
    const released: unknown[] = [];
    const client = await nannyWith({
      releaseWorker: (workerName, reason) => {
        if (workerName !== 'host-a-3')
          throw new UnknownWorkerError(`No worker ${workerName} in quarantine here.`);
        released.push({ workerName, reason });
      },
    });

    await client.releaseWorker('host-a-3', 'mended');

    expect(released).toEqual([{ workerName: 'host-a-3', reason: 'mended' }]);
    await expect(client.releaseWorker('host-a-0', '')).rejects.toBeInstanceOf(UnknownWorkerError);
    await expect(client.releaseWorker('', '')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('stops when told to', async () => {
    const reasons: string[] = [];
    const client = await nannyWith({ stop: (reason) => void reasons.push(reason) });

    await client.stop('maintenance');

    expect(reasons).toEqual(['maintenance']);
  });
});
