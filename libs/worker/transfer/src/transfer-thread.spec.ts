import { setImmediate } from 'node:timers/promises';
import { types } from 'node:util';
import { InvalidArgumentError, SeededRandom, type TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import type { ArrivedValue, ValueSource } from '@spillway/ports';
import { DataClient } from '@spillway/protocol';
import { entryThatDiesOf, key, MiB, PEER, request, transferRig, valuesOf } from './transfer-rig.spec-d.js';

const { open, start } = transferRig();

class MapSource implements ValueSource {
  readonly held = new Map<TaskKey, Payload>();
  onServe: (key: TaskKey) => unknown = () => undefined;
  onAccept: () => unknown = () => undefined;

  constructor(values: Readonly<Record<string, Uint8Array>> = {}) {
    for (const [name, data] of Object.entries(values)) this.held.set(key(name), { encoding: 'bytes', data });
  }
  async serve(wanted: TaskKey): Promise<Payload | undefined> {
    await this.onServe(wanted);
    return this.held.get(wanted);
  }
  reportUnreadable(): void {
    throw new Error('Nothing here is on disk');
  }
  async accept(value: ArrivedValue): Promise<void> {
    await this.onAccept();
    this.held.set(value.key, value.payload);
  }
}

function randomBytes(data: Uint8Array): Uint8Array {
  const random = new SeededRandom(data.byteLength);
  for (let at = 0; at < data.byteLength; at += 997) data[at] = random.below(256);
  return data;
}

const sharedBytes = (sizeBytes: number) => randomBytes(new Uint8Array(new SharedArrayBuffer(sizeBytes)));
describe('between two workers', () => {
  test('values of all sizes arrive identical, large ones in shared buffers', async () => {
    const values = {
      empty: new Uint8Array(0),
      pooled: Buffer.from('a view of the pool of Node'),
      ordinary: randomBytes(new Uint8Array(100_000)),
      view: sharedBytes(100_000).subarray(10, 60_000),
      large: sharedBytes(12 * MiB),
    };
    const holder = await start(new MapSource(values));
    const receiver = await start(new MapSource());

    const outcome = await receiver.gather(request(holder.address, ...Object.keys(values)));

    const arrived = valuesOf(outcome);
    expect(arrived.map((value) => value.key)).toEqual(Object.keys(values));
    for (const [index, sent] of Object.values(values).entries()) {
      expect(Buffer.compare(arrived[index]!.payload.data, sent)).toBe(0);
    }
    expect(types.isSharedArrayBuffer(arrived[4]?.payload.data.buffer)).toBe(true);
    expect(arrived[1]?.payload.data.buffer.byteLength).toBe(values.pooled.byteLength);
  });

  test('a value that was served is still whole where it came from', async () => {
    const source = new MapSource({ x: randomBytes(new Uint8Array(50_000)) });
    const holder = await start(source);
    const receiver = await start(new MapSource());

    valuesOf(await receiver.gather(request(holder.address, 'x')));
    const again = valuesOf(await receiver.gather(request(holder.address, 'x')));

    expect(source.held.get(key('x'))?.data.byteLength).toBe(50_000);
    expect(again[0]?.payload.data.byteLength).toBe(50_000);
  });

  test('many gathers at a time each get their own values, and missing keys are named', async () => {
    const names = Array.from({ length: 60 }, (_, index) => `k${index}`);
    const holder = await start(
      new MapSource(Object.fromEntries(names.map((name) => [name, Buffer.from(name)]))),
      { servingMax: 100 },
    );
    const receiver = await start(new MapSource());

    const outcomes = await Promise.all(
      names.map((name) => receiver.gather(request(holder.address, name, `not-${name}`))),
    );

    const texts = outcomes.map((outcome) => Buffer.from(valuesOf(outcome)[0]!.payload.data).toString());
    expect(texts).toEqual(names);
    expect(outcomes.map((outcome) => (outcome.type === 'gather-success' ? outcome.missing : []))).toEqual(
      names.map((name) => [`not-${name}`]),
    );
  });

  test('a worker serves as many transfers as it was last told', async () => {
    const source = new MapSource({ x: Buffer.from('x') });
    let openDoor = (): void => undefined;
    const opened = new Promise<void>((resolve) => (openDoor = resolve));
    let loadingCount = 0;
    source.onServe = () => ((loadingCount += 1), opened);
    const holder = await start(source, { servingMax: 1 });
    const receiver = await start(new MapSource());
    const first = receiver.gather(request(holder.address, 'x'));
    while (loadingCount < 1) await setImmediate();
    expect(await receiver.gather(request(holder.address, 'x'))).toEqual({ type: 'gather-busy' });

    holder.setServingMax(2);
    let second = receiver.gather(request(holder.address, 'x'));
    while (loadingCount < 2) {
      // The new limit takes effect a moment later than a gather that is already on its way.
      const outcome = await Promise.race([second, setImmediate(undefined)]);
      if (outcome?.type === 'gather-busy') second = receiver.gather(request(holder.address, 'x'));
    }

    openDoor();
    valuesOf(await first);
    valuesOf(await second);
  });

  test('a value that cannot be loaded fails the gather, and the thread goes on', async () => {
    const source = new MapSource({ x: Buffer.from('x'), y: Buffer.from('y') });
    source.onServe = (wanted) => {
      if (wanted === 'x') throw new InvalidArgumentError('broken on disk');
    };
    const holder = await start(source);
    const receiver = await start(new MapSource());

    const outcome = await receiver.gather(request(holder.address, 'x'));

    expect(outcome).toMatchObject({
      type: 'gather-network-failure',
      message: expect.stringMatching(/broken on disk/) as string,
    });
    valuesOf(await receiver.gather(request(holder.address, 'y')));
  });
});

describe('with a client', () => {
  test('a value that a client puts reaches the source', async () => {
    const source = new MapSource();
    const worker = await start(source);
    const client = new DataClient();
    open.push(client);
    const data = sharedBytes(3 * MiB + 1);

    await client.put(worker.address, { key: key('scattered'), payload: { encoding: 'v8', data } });

    const stored = source.held.get(key('scattered'));
    expect(stored?.encoding).toBe('v8');
    expect(types.isSharedArrayBuffer(stored?.data.buffer)).toBe(true);
    expect(Buffer.compare(stored!.data, data)).toBe(0);
  });

  test('what the source refuses is refused to the client, with its error', async () => {
    const source = new MapSource();
    source.onAccept = () => {
      throw new InvalidArgumentError('not wanted here');
    };
    const worker = await start(source);
    const client = new DataClient();
    open.push(client);

    const putting = client.put(worker.address, {
      key: key('x'),
      payload: { encoding: 'bytes', data: Buffer.from('x') },
    });

    await expect(putting).rejects.toThrow(InvalidArgumentError);
    await expect(putting).rejects.toThrow('not wanted here');
  });
});

test('who asks for a collection hears when the thread has collected', async () => {
  const thread = await start(new MapSource());
  await Promise.all([thread.collectGarbage(), thread.collectGarbage()]);
  await thread.collectGarbage();
});

describe('when things end', () => {
  test('who waits for a collection hears of it when the thread has ended, and so does who asks later', async () => {
    const thread = await start(new MapSource(), { entry: await entryThatDiesOf('collect-garbage') });

    await thread.collectGarbage();
    await thread.collectGarbage();
  });

  test('an address that is taken rejects the start', async () => {
    const first = await start(new MapSource());

    await expect(start(new MapSource(), { listenAddress: first.address })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });

  test('an entry that does not load rejects the start', async () => {
    const missing = new URL('no-such-entry.mjs', 'file:///');

    await expect(start(new MapSource(), { entry: missing })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('a thread that dies fails the gathers under way and tells its worker once', async () => {
    const source = new MapSource({ x: Buffer.from('x') });
    const ended: unknown[] = [];
    const dyingEntry = await entryThatDiesOf('gather');
    const dying = await start(source, { entry: dyingEntry, onEnded: (error) => ended.push(error) });

    const outcome = await dying.gather(request(dying.address, 'x'));

    expect(outcome).toMatchObject({
      type: 'gather-network-failure',
      message: expect.stringMatching(/thread .* has ended: .*boom/) as string,
    });
    expect(await dying.gather(request(dying.address, 'x'))).toEqual(outcome);
    expect(ended).toHaveLength(1);
  });

  test('closing ends the gathers under way and is no unexpected end', async () => {
    const source = new MapSource({ x: Buffer.from('x') });
    let loadingCount = 0;
    source.onServe = () => ((loadingCount += 1), new Promise(() => undefined));
    const ended: unknown[] = [];
    const holder = await start(source, { closeTimeoutMs: 100 });
    const receiver = await start(new MapSource(), { onEnded: (error) => ended.push(error) });
    const gathering = receiver.gather(request(holder.address, 'x'));
    while (loadingCount === 0) await setImmediate();

    await receiver.close();

    expect((await gathering).type).toBe('gather-network-failure');
    expect(ended).toEqual([]);
    await receiver.close();
  });

  test('forgetting a peer breaks off the gathers with it', async () => {
    const source = new MapSource({ x: Buffer.from('x') });
    let loadingCount = 0;
    source.onServe = () => ((loadingCount += 1), new Promise(() => undefined));
    const holder = await start(source, { closeTimeoutMs: 100 });
    const receiver = await start(new MapSource());
    const gathering = receiver.gather(request(holder.address, 'x'));
    while (loadingCount === 0) await setImmediate();

    receiver.forget(PEER);

    expect((await gathering).type).toBe('gather-network-failure');
  });
});
