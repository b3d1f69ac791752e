/**
 * The commands of golden scripts: one line of words each, turned into events. Words of the form `name=value` are options,
 * wherever they stand; the rest is in order. A task is written `key`, `key<dependency,dependency`, with its own options in
 * brackets: `y<x(retries=1,on=w1,fn=sum)`.
 */
import { asRunId, asTaskKey, asWorkerId } from '@spillway/kernel';
import type { TaskSpec, WorkerStatus } from '@spillway/messages';
import type { SchedulerInstruction } from '../instructions.js';
import { aTask, aVerdict } from './builders.js';
import type { Run, TestScheduler } from './test-scheduler.js';

/** Of what a heartbeat says. */
const MIB = 1024 ** 2;

type Options = Readonly<Record<string, string>>;
type Command = (
  scheduler: TestScheduler,
  words: readonly string[],
  options: Options,
) => readonly SchedulerInstruction[];

const COMMANDS: Readonly<Record<string, Command>> = {
  client: (scheduler, [client]) => scheduler.connect(word(client)),
  'client-lost': (scheduler, [client]) => scheduler.disconnect(word(client)),
  'client-closes': (scheduler, [client]) => scheduler.close(word(client)),
  graph(scheduler, [client, ...tasks], options) {
    const specs = tasks.map(parseTask);
    return scheduler.submit(
      word(client),
      specs,
      options['wants'] === undefined ? specs.map((spec) => spec.key) : list(options['wants']),
      ...(options['id'] === undefined ? [] : [options['id']]),
    );
  },
  release: (scheduler, [client, ...keys]) => scheduler.release(word(client), ...keys),
  desire: (scheduler, [client, ...keys]) => scheduler.desire(word(client), ...keys),
  cancel: (scheduler, [client, ...keys], options) =>
    scheduler.cancel(word(client), keys, options['force'] === 'on'),
  retry: (scheduler, [client, ...keys]) => scheduler.retry(word(client), ...keys),
  scatter: (scheduler, [client, key], options) =>
    scheduler.scatter(word(client), word(key), number(options['size'], 100), ...list(options['on'])),
  worker: (scheduler, [worker], options) =>
    scheduler.register(word(worker), {
      name: options['name'] ?? word(worker),
      ...(options['nanny'] === undefined ? {} : { nannyId: options['nanny'] }),
      nthreads: number(options['threads'], 1),
      memoryLimitBytes: options['limit'] === undefined ? false : Number(options['limit']),
      isLimitEnforced: options['terminate'] !== 'off',
      holdings: Object.fromEntries(list(options['holds']).map((key) => [key, 100])),
    }),
  'worker-lost': (scheduler, [worker], options) =>
    scheduler.lose(word(worker), {
      onPurpose: options['on-purpose'] === 'on',
      leavesValues: options['leaves-values'] === 'on',
      ...(options['verdict'] === undefined ? {} : { verdict: aVerdict(word(worker), options['verdict']) }),
    }),
  nanny: (scheduler, [nanny]) => scheduler.nannyRegistered(word(nanny)),
  'nanny-disconnected': (scheduler, [nanny]) => scheduler.nannyEvent('nanny-disconnected', word(nanny)),
  'nanny-resumed': (scheduler, [nanny]) => scheduler.nannyEvent('nanny-resumed', word(nanny)),
  'nanny-lost': (scheduler, [nanny]) => scheduler.nannyEvent('nanny-lost', word(nanny)),
  status: (scheduler, [worker, status]) => scheduler.setStatus(word(worker), word(status) as WorkerStatus),
  retire: (scheduler, workers, options) =>
    scheduler.retire(workers, options['deadline'] === undefined ? undefined : Number(options['deadline'])),
  'ask-to-retire': (scheduler, [worker], options) =>
    scheduler.requestRetirement(word(worker), {
      deadlineMs: number(options['deadline'], 8_000),
      mayLeave: options['may-leave'] === 'on',
    }),
  finish: (scheduler, [key], options) =>
    scheduler.finish(
      word(key),
      {
        nbytes: number(options['size'], 100),
        durationMs: number(options['ms'], 100),
        ...(options['inline'] === 'on' ? { inline: { encoding: 'json', data: Uint8Array.of(49) } } : {}),
      },
      runOf(scheduler, word(key), options),
    ),
  err: (scheduler, [key], options) =>
    scheduler.err(word(key), { mayRetry: options['final'] !== 'on' }, runOf(scheduler, word(key), options)),
  'hand-back': (scheduler, [key], options) =>
    scheduler.handBack(word(key), runOf(scheduler, word(key), options)),
  replica: (scheduler, [worker, key], options) =>
    scheduler.addReplica(word(worker), word(key), number(options['size'], 100)),
  missing: (scheduler, [worker, key], options) =>
    scheduler.reportMissing(word(worker), word(key), options['holder'] ?? ''),
  'copies-lost': (scheduler, [worker, ...keys]) => scheduler.loseReplicas(word(worker), ...keys),
  'who-has': (scheduler, [worker, ...keys]) =>
    scheduler.handle({
      type: 'request-who-has',
      workerId: asWorkerId(word(worker)),
      keys: keys.map(asTaskKey),
    }),
  heartbeat: (scheduler, [worker, ...keys], options) =>
    scheduler.heartbeat(
      word(worker),
      Object.fromEntries(keys.map((key) => [key, number(options['for'], 0)])),
      {
        isUnderPressure: options['pressure'] === 'on',
        ...(options['limit'] === undefined ? {} : { memoryLimitBytes: Number(options['limit']) }),
        processBytes: number(options['process'], 0) * MIB,
        managedBytes: number(options['managed'], 0) * MIB,
        unmanagedOldBytes: (number(options['process'], 0) - number(options['managed'], 0)) * MIB,
        hoardedBytes: number(options['hoarded'], 0) * MIB,
        spilledBytes: number(options['spilled'], 0) * MIB,
        spillWrittenBytes: number(options['written'], 0) * MIB,
        ...(options['disk'] === 'full' ? { spillRefusedBecause: 'disk-full' as const } : {}),
      },
    ),
  tick: (scheduler, _words, options) => scheduler.tick(scheduler.nowMs + number(options['after'], 0)),
};

export function runCommand(scheduler: TestScheduler, line: string): readonly SchedulerInstruction[] {
  const [name = '', ...rest] = line.split(/\s+/);
  const command = COMMANDS[name];
  if (command === undefined) throw new Error(`No such command in a golden script: ${name}`);
  const words = rest.filter((each) => !isOption(each));
  return command(scheduler, words, parseOptions(rest.filter(isOption)));
}

/** Options of the machine: the first line of a script. */
export function parseOptions(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((each) => {
      const at = each.indexOf('=');
      return [each.slice(0, at), each.slice(at + 1).replaceAll('_', ' ')];
    }),
  );
}

const isOption = (text: string): boolean => /^[a-z-]+=/.test(text);

function parseTask(text: string): TaskSpec {
  const match = /^([^<(]+)(?:<([^(]*))?(?:\((.*)\))?$/.exec(text);
  const [, key = '', dependencies, bracket] = match ?? [];
  const options = parseOptions(list(bracket));
  return aTask(key, {
    dependencies: list(dependencies),
    functionName: options['fn'] ?? 'run',
    moduleHash: options['module'] ?? 'module',
    args: number(options['args'], 0),
    priority: number(options['priority'], 0),
    retries: number(options['retries'], 0),
    workers: options['on'] === undefined ? [] : options['on'].split('+'),
    allowOtherWorkers: options['others'] === 'on',
    recompute: options['recompute'] !== 'off',
  });
}

function runOf(scheduler: TestScheduler, key: string, options: Options): Run {
  const current = scheduler.runOf(key);
  return {
    key,
    workerId: options['worker'] ?? current.workerId,
    runId: options['run'] === undefined ? current.runId : asRunId(Number(options['run'])),
  };
}

function word(text: string | undefined): string {
  if (text === undefined) throw new Error('A word is missing in a line of a golden script');
  return text;
}

const list = (text: string | undefined): string[] =>
  text === undefined || text === '' ? [] : text.split(',');

const number = (text: string | undefined, otherwise: number): number =>
  text === undefined ? otherwise : Number(text);
