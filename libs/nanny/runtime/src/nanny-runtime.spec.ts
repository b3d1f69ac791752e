import { asNannyId, SessionExpiredError } from '@spillway/kernel';
import type { NannyToScheduler, SchedulerToNanny } from '@spillway/messages';
import { NannyMachine } from '@spillway/nanny-machine';
import type { ChildExit, Link, LinkListener, Logger, SpawnRequest, Timers } from '@spillway/ports';
import { NannyRuntime } from './nanny-runtime.js';

/** A nanny with one slot, its children and its scheduler played by the test. Nothing happens by itself. */
class Rig {
  readonly spawned: SpawnRequest[] = [];
  readonly told: unknown[] = [];
  readonly gone: string[] = [];
  readonly warnings: string[] = [];
  readonly closedLinks: string[] = [];
  readonly listeners: LinkListener<SchedulerToNanny>[] = [];
  /** Whether links open at once; else those that wait open by `openLinks`. */
  doLinksOpen = true;
  /** What is seen of any worker. */
  processBytes = 0;
  oomKillCount = 0;
  readonly #waitingLinks: (() => void)[] = [];

  readonly runtime = new NannyRuntime({
    machine: new NannyMachine({
      nannyId: asNannyId('n'),
      workerNames: ['w'],
      closeTimeoutMs: 1000,
      restartDrainMs: 0,
      startTimeoutMs: 1000,
      workerTtlMs: 1000,
      backoffBaseMs: 100,
      backoffMaxMs: 1000,
      stableMs: 1000,
      quarantineDeaths: 5,
      quarantineWindowMs: 60_000,
      quarantineReleaseMs: 60_000,
      limitBytes: 1000,
      terminateFraction: 0.95,
      growthBytesPerMs: 1,
      adopts: true,
    }),
    clock: { nowMs: () => 0 },
    timers: noTimers,
    logger: this.#logger(),
    children: {
      spawn: (request) => {
        this.spawned.push(request);
        return { pid: 1, send: (message) => this.told.push(message), signal: () => undefined };
      },
    },
    processMemory: { read: () => Promise.resolve(this.processBytes) },
    oomKillCount: () => this.oomKillCount,
    workerArgs: () => [],
    workerEnviron: () => ({}),
    workerExecArgv: () => [],
    onWorkerGone: (workerId) => this.gone.push(workerId),
    openLink: (listener) => this.#openLink(listener),
  });

  openLinks(): Promise<void> {
    for (const open of this.#waitingLinks.splice(0)) open();
    return this.settle();
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }

  async #openLink(listener: LinkListener<SchedulerToNanny>): Promise<Link<NannyToScheduler>> {
    if (!this.doLinksOpen) await new Promise<void>((resolve) => this.#waitingLinks.push(resolve));
    this.listeners.push(listener);
    return { send: () => undefined, close: (reason) => this.closedLinks.push(reason) };
  }

  #logger(): Logger {
    const warn = (_fields: unknown, message: string): void => void this.warnings.push(message);
    const ignore = (): void => undefined;
    return { debug: ignore, info: ignore, warn, error: ignore, child: () => this.#logger() };
  }
}

const nothing = { cancel: () => undefined };
const noTimers: Timers = { after: () => nothing, every: () => nothing, soon: () => undefined };
const ended: ChildExit = { code: 0, signal: null, stderrTail: '' };

async function started(): Promise<Rig> {
  const rig = new Rig();
  await rig.runtime.start();
  return rig;
}

test.each([[null], ['text'], [42], [{}], [{ type: 'ready' }], [{ type: 'close' }], [[]]])(
  'what no worker says over IPC is told of in the log and changes nothing: %j',
  async (garbage) => {
    const rig = await started();
    rig.spawned[0]?.onMessage(garbage);
    expect(rig.warnings).toHaveLength(1);
    expect(rig.runtime.slots[0]?.state.name).toBe('starting');
  },
);

test('a nanny is ready when its worker says that it is registered', async () => {
  const rig = await started();
  let isReady = false;
  void rig.runtime.allReady().then(() => (isReady = true));
  await rig.settle();
  expect(isReady).toBe(false);
  rig.spawned[0]?.onMessage({ type: 'ready', address: '127.0.0.1:1' });
  await rig.settle();
  expect(isReady).toBe(true);
});

test('what a dead worker left is removed, and another is started', async () => {
  const rig = await started();
  rig.spawned[0]?.onExit({ ...ended, code: null, signal: 'SIGKILL' });
  expect(rig.gone).toEqual(['n/0-1']);
  expect(rig.spawned).toHaveLength(2);
});

test('stopping asks the worker to close, and ends the session when it has', async () => {
  const rig = await started();
  rig.runtime.stop('SIGTERM');
  rig.runtime.stop('SIGTERM');
  expect(rig.told).toEqual([{ type: 'close', reason: 'SIGTERM', leavesValues: false }]);
  rig.spawned[0]?.onExit(ended);
  await expect(rig.runtime.finished).resolves.toBe('asked');
  expect(rig.closedLinks).toHaveLength(1);
});

test('a session that opens anew after the nanny has ended is closed again', async () => {
  const rig = await started();
  rig.doLinksOpen = false;
  rig.listeners[0]?.onEnded(new SessionExpiredError('The scheduler was restarted.'));
  rig.runtime.stop('SIGTERM');
  rig.spawned[0]?.onExit(ended);
  await expect(rig.runtime.finished).resolves.toBe('asked');
  expect(rig.closedLinks).toEqual([]);
  await rig.openLinks();
  expect(rig.closedLinks).toHaveLength(1);
});
