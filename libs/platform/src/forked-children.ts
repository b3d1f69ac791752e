import { fork, type ChildProcess } from 'node:child_process';
import type { Child, ChildExit, ChildProcesses, SpawnRequest } from '@spillway/ports';

const STDERR_TAIL_LENGTH_MAX = 8 * 1024;
/** How long after the exit the end of stderr is waited for. */
const STDERR_END_MS = 500;

/**
 * Forks one program of Node again and again. The IPC channel is the life line: a child ends itself when it closes,
 * which the kernel sees to even if this process is killed (users-pains.md section 24, item 20). stdout is passed on,
 * stderr is passed on and its tail kept for the verdict.
 */
export class ForkedChildren implements ChildProcesses {
  constructor(
    private readonly program: string,
    private readonly environ: Readonly<NodeJS.ProcessEnv>,
    private readonly execArgv: readonly string[] = [],
  ) {}

  spawn({ args, execArgv = [], environ, onMessage, onExit }: SpawnRequest): Child {
    const child = fork(this.program, [...args], {
      env: withChanges(this.environ, environ),
      execArgv: [...this.execArgv, ...execArgv],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    const stderrTail = keepTail(child);
    let hasExited = false;
    const exit = (how: Omit<ChildExit, 'stderrTail'>): void => {
      if (hasExited) return;
      hasExited = true;
      onExit({ ...how, stderrTail: stderrTail() });
    };
    child.on('message', onMessage);
    // 'close' comes after stderr has been read to its end, 'exit' may come before. It does not come as long as some process
    // of user code lives that inherited stderr: the exit counts all the same.
    child.on('close', (code, signal) => exit({ code, signal }));
    child.once('exit', (code, signal) => {
      setTimeout(() => {
        exit({ code, signal });
        child.stderr?.destroy();
      }, STDERR_END_MS).unref();
    });
    child.on('error', (error) => {
      if (child.pid === undefined) exit({ code: null, signal: null, startError: error.message });
    });
    return {
      pid: child.pid,
      send: (message) => {
        if (child.connected) child.send(message as object, () => undefined);
      },
      signal: (name) => {
        child.kill(name);
      },
    };
  }
}

function withChanges(
  environ: Readonly<NodeJS.ProcessEnv>,
  changes: Readonly<Record<string, string | null>>,
): NodeJS.ProcessEnv {
  const merged: NodeJS.ProcessEnv = { ...environ };
  for (const [name, value] of Object.entries(changes))
    if (value === null) Reflect.deleteProperty(merged, name);
    else merged[name] = value;
  return merged;
}

function keepTail(child: ChildProcess): () => string {
  let tail = '';
  const { stderr } = child;
  // Characters that are cut between two chunks stay whole.
  stderr?.setEncoding('utf8');
  stderr?.on('data', (text: string) => {
    tail = (tail + text).slice(-STDERR_TAIL_LENGTH_MAX);
    if (process.stderr.write(text)) return;
    // Whoever reads ours is slow: the child waits, not our memory.
    stderr.pause();
    process.stderr.once('drain', () => stderr.resume());
  });
  return () => tail;
}
