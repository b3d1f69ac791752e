import { asClientId, asTaskKey, asWorkerId, LostDataError } from '@spillway/kernel';
import { SchedulerQueries } from '../queries/scheduler-queries.js';
import { TestScheduler } from './fixtures.spec-d.js';
import type { SchedulerHandlers } from './scheduler-handlers.js';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function queriesTo(handlers: Partial<SchedulerHandlers>): Promise<SchedulerQueries> {
  const server = await new TestScheduler(handlers).serve();
  closing.push(() => server.close());
  const queries = new SchedulerQueries({ address: server.address, timeoutMs: 10_000 });
  closing.push(() => queries.close());
  return queries;
}

describe('data of clients without a control stream', () => {
  const data = { key: asTaskKey('d'), nbytes: 2 ** 40, holders: [asWorkerId('w1'), asWorkerId('w2')] };

  test('is registered with who put it where', async () => {
    let said: unknown;
    const queries = await queriesTo({
      registerData: (clientId, registered) => {
        said = { clientId, ...registered };
        return Promise.resolve();
      },
    });

    await queries.registerData(asClientId('py-1'), data);

    expect(said).toEqual({ clientId: 'py-1', ...data });
  });

  test('is refused with the reason when it is lost already', async () => {
    const queries = await queriesTo({
      registerData: () => Promise.reject(new LostDataError('The workers are gone.')),
    });

    await expect(queries.registerData(asClientId('py-1'), data)).rejects.toBeInstanceOf(LostDataError);
  });

  test('that is nowhere, or has no key, is refused, naming the field', async () => {
    const queries = await queriesTo({});
    const registered = (changes: Partial<typeof data>): Promise<void> =>
      queries.registerData(asClientId('py-1'), { ...data, ...changes });

    await expect(registered({ holders: [] })).rejects.toMatchObject({ details: { field: 'holders' } });
    await expect(registered({ key: asTaskKey('') })).rejects.toMatchObject({ details: { field: 'key' } });
  });
});
