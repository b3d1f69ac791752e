import { constants, createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { spillway } from '@spillway/proto';
import { Caller } from './caller.js';

const { listWorkers } = spillway.v1.SchedulerService.prototype;
const { ListWorkersRequest, ListWorkersResponse } = spillway.v1;

test('a call on a connection that is just ending is made again', async () => {
  let calls = 0;
  const sessions: ServerHttp2Session[] = [];
  const server = createServer();
  server.on('session', (session) => sessions.push(session));
  server.on('stream', (stream) => {
    calls += 1;
    if (calls === 1) {
      stream.on('error', () => undefined);
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    // An empty message: not compressed, no bytes.
    stream.end(Buffer.alloc(5));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const caller = new Caller({
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    timeoutMs: 10_000,
  });
  try {
    const request = { codec: ListWorkersRequest, message: {} };
    await expect(caller.unary(listWorkers, request, ListWorkersResponse)).resolves.toMatchObject({
      workers: [],
    });
    expect(calls).toBe(2);
  } finally {
    caller.close();
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});
