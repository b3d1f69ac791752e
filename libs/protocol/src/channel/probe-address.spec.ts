import { createServer, type AddressInfo } from 'node:net';
import { UnavailableError } from '@spillway/kernel';
import { probeAddress } from './probe-address.js';

test('an address where somebody listens is reached', async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await probeAddress(`127.0.0.1:${(server.address() as AddressInfo).port}`, 5_000);
  await new Promise((resolve) => server.close(resolve));
});

test('an address where nobody listens is refused at once, with the reason', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  await expect(probeAddress(`127.0.0.1:${port}`, 5_000)).rejects.toThrow(UnavailableError);
});

test('an aborted probe ends without waiting', async () => {
  const abort = new AbortController();
  // TEST-NET-1: nobody answers there.
  const probe = probeAddress('192.0.2.1:9', 60_000, abort.signal);
  abort.abort();
  await expect(probe).rejects.toThrow('broken off');
  await expect(probeAddress('192.0.2.1:9', 60_000, abort.signal)).rejects.toThrow('broken off');
});
