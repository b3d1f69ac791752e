import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { watchLeaks } from './leaks.js';
import { TempFolder } from './temp-folder.js';

test('what was closed again is no leak', async () => {
  const leaks = watchLeaks();
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').resume();
  await once(socket, 'close');
  server.close();
  const thread = new Worker('', { eval: true });
  const timer = setTimeout(() => undefined, 1e6);
  clearTimeout(timer);
  void thread.terminate();

  await expect(leaks.expectNothingLeft()).resolves.toBeUndefined();
});

test('what was left open is named', async () => {
  const leaks = watchLeaks({ settleMsMax: 100 });
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const timer = setTimeout(() => undefined, 1e6);

  await expect(leaks.expectNothingLeft()).rejects.toThrow(/^Left open: .*1 × TCPServerWrap/);
  await expect(watchLeaks().expectNothingLeft()).resolves.toBeUndefined();

  server.close();
  clearTimeout(timer);
  await once(server, 'close');
  await leaks.expectNothingLeft();
});

test('what a library keeps on purpose can be left out', async () => {
  const leaks = watchLeaks({ ignore: ['Timeout'] });
  const timer = setTimeout(() => undefined, 1e6);
  await leaks.expectNothingLeft();
  clearTimeout(timer);
});

test('a temporary folder is gone at the end of its block, with what is in it', async () => {
  let path: string;
  {
    await using folder = await TempFolder.create();
    path = folder.path;
    writeFileSync(folder.join('file'), 'x');
    expect(existsSync(path)).toBe(true);
  }
  expect(existsSync(path)).toBe(false);
});
