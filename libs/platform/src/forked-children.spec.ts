import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildExit } from '@spillway/ports';
import { ForkedChildren } from './forked-children.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'forked-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function children(script: string, environ: NodeJS.ProcessEnv = {}): Promise<ForkedChildren> {
  const program = join(folder, `${Math.random().toString(36).slice(2)}.mjs`);
  await writeFile(program, script);
  return new ForkedChildren(program, { PATH: process.env['PATH'], ...environ });
}

test('an exit comes with its code and the tail of stderr', async () => {
  const forked = await children(`process.stderr.write('first\\nlast words\\n'); process.exitCode = 7;`);
  const exit = await new Promise<ChildExit>((resolve) =>
    forked.spawn({ args: [], environ: {}, onMessage: () => undefined, onExit: resolve }),
  );
  expect(exit).toEqual({ code: 7, signal: null, stderrTail: 'first\nlast words\n' });
});

test('environment variables are added, and null removes one', async () => {
  const forked = await children(
    `process.on('message', () => process.disconnect()); process.send({ a: process.env.A, b: process.env.B, c: process.env.C });`,
    { A: 'kept', B: 'removed' },
  );
  const exited = new Promise<ChildExit>((resolve) => {
    const child = forked.spawn({
      args: [],
      environ: { B: null, C: 'added' },
      onMessage: (message) => {
        expect(message).toEqual({ a: 'kept', c: 'added' });
        child.send({});
      },
      onExit: resolve,
    });
  });
  expect((await exited).code).toBe(0);
});

test('a signal is reported by name', async () => {
  const forked = await children(`process.send('up'); setInterval(() => 0, 1000);`);
  const exit = await new Promise<ChildExit>((resolve) => {
    const child = forked.spawn({
      args: [],
      environ: {},
      onMessage: () => child.signal('SIGKILL'),
      onExit: resolve,
    });
  });
  expect(exit.signal).toBe('SIGKILL');
});

test('options of node itself come before the program', async () => {
  const forked = await children(`process.send(process.execArgv); process.disconnect();`);
  const received: unknown[] = [];
  await new Promise<ChildExit>((resolve) =>
    forked.spawn({
      args: [],
      execArgv: ['--max-old-space-size=64'],
      environ: {},
      onMessage: (message) => received.push(message),
      onExit: resolve,
    }),
  );
  expect(received).toEqual([['--max-old-space-size=64']]);
});

test('an exit is reported although a process that the child started still holds its stderr', async () => {
  const forked = await children(
    `import { spawn } from 'node:child_process';
     const heir = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { stdio: 'inherit', detached: true });
     heir.once('spawn', () => { process.send(heir.pid); process.stderr.write('last words\\n'); process.exitCode = 3; process.disconnect(); heir.unref(); });`,
  );
  let heirPid = 0;
  const exit = await new Promise<ChildExit>((resolve) =>
    forked.spawn({
      args: [],
      environ: {},
      onMessage: (pid) => (heirPid = pid as number),
      onExit: resolve,
    }),
  );
  process.kill(heirPid, 'SIGKILL');
  expect(exit).toEqual({ code: 3, signal: null, stderrTail: 'last words\n' });
});
