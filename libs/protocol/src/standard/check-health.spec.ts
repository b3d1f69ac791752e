import { createServer, type AddressInfo, type Socket } from 'node:net';
import { ClusterUnreachableError, DeadlineExceededError, InvalidArgumentError } from '@spillway/kernel';
import { NANNY_SERVICE_NAME, NannyServer } from '../nanny/nanny-server.js';
import { checkHealth } from './check-health.js';

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function serve(): Promise<NannyServer> {
  const server = await NannyServer.listen({
    address: '127.0.0.1:0',
    handlers: {
      getStatus: () => {
        throw new Error('not asked here');
      },
      restartWorker: () => undefined,
      releaseWorker: () => undefined,
      stop: () => undefined,
    },
  });
  open.push(() => server.close());
  return server;
}

/** A port on which somebody takes connections and never says a word. */
async function listenInSilence(): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const timeoutMs = 10_000;

test('a program that serves is healthy, as a whole and by service', async () => {
  const { address } = await serve();
  expect(await checkHealth({ address, timeoutMs })).toBe(true);
  expect(await checkHealth({ address, timeoutMs, service: NANNY_SERVICE_NAME })).toBe(true);
});

test('a program that is closing is not', async () => {
  const server = await serve();
  server.setServing(false);
  expect(await checkHealth({ address: server.address, timeoutMs })).toBe(false);
});

test('a service that the program does not have is the mistake of who asks', async () => {
  const { address } = await serve();
  await expect(checkHealth({ address, timeoutMs, service: 'no.such.Service' })).rejects.toThrow(
    InvalidArgumentError,
  );
});

test('where nobody listens the cluster is unreachable, at once', async () => {
  const server = await serve();
  const { address } = server;
  await server.close();
  await expect(checkHealth({ address, timeoutMs })).rejects.toThrow(ClusterUnreachableError);
});

test('a listener that says nothing has as long as it was given', async () => {
  const address = await listenInSilence();
  await expect(checkHealth({ address, timeoutMs: 50 })).rejects.toThrow(DeadlineExceededError);
});
