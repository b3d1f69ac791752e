/** The commands of golden scripts: `name words key=value …`. A key with holders is written `a:10@p1+p2`. */
import { InvalidArgumentError } from '@spillway/kernel';
import type { Dependency, WorkerStatus } from '@spillway/messages';
import type { Admission, WorkerEvent } from '../events.js';
import type { WorkerMachine } from '../worker-machine.js';
import * as build from './builders.js';

interface Command {
  readonly name: string;
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string>>;
}

function split(line: string): Command {
  const [name = '', ...rest] = line.trim().split(/\s+/);
  const pairs = rest.filter((word) => word.includes('=')).map((word) => word.split('=', 2));
  return {
    name,
    words: rest.filter((word) => !word.includes('=')),
    options: Object.fromEntries(pairs) as Record<string, string>,
  };
}

const numberOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text);
const offOr = (text: string | undefined): number | false | undefined =>
  text === 'off' ? false : numberOf(text);

/** Leaves out what is not given, so that defaults apply. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

export function parseWorker(line: string): WorkerMachine {
  const { options } = split(line);
  return build.aWorker(
    given({
      slotCount: numberOf(options['slots']),
      transferBytesMax: offOr(options['transfer']),
      gatherMessageBytesMax: numberOf(options['message']),
      gatherPeersMax: numberOf(options['peers']),
      peerFailuresMax: numberOf(options['peer-failures']),
      putAnnounceMs: numberOf(options['put-announce']),
      handOverMs: numberOf(options['hand-over']),
      handOverCountMax: numberOf(options['hand-over-count']),
      seed: numberOf(options['seed']),
    }),
  );
}

/** `a`, `a:10`, `a@p1+p2`, `a:10@p1`. */
function dependency(text: string): Dependency {
  const [what = '', holders] = text.split('@');
  const [key = '', nbytes] = what.split(':');
  return build.aDependency(key, holders?.split('+') ?? [], numberOf(nbytes) ?? 10);
}

const sizes = (words: readonly string[]): Record<string, number> =>
  Object.fromEntries(words.map((word) => [word.split(':')[0] ?? '', Number(word.split(':')[1] ?? 10)]));

const list = (text: string | undefined): string[] =>
  text === undefined || text === '' ? [] : text.split(',');

type Parser = (words: readonly string[], options: Readonly<Record<string, string>>) => readonly WorkerEvent[];

const compute: Parser = (words, options) =>
  words.map((key) =>
    build.computeTask(key, {
      ...given({
        runId: numberOf(options['run']),
        attempt: numberOf(options['attempt']),
        expectedMs: numberOf(options['expected']),
        expectedBytes: numberOf(options['returns']),
        timeoutMs: numberOf(options['timeout']),
      }),
      ...(options['even-if-paused'] === 'yes' ? { evenIfPaused: true } : {}),
      priority: [0, 0, numberOf(options['priority']) ?? 0],
      dependencies: list(options['deps']).map(dependency),
    }),
  );

const stopped: Parser = (words, options) =>
  words.map((key) =>
    build.executeStopped(key, (options['reason'] ?? 'cancelled') as 'cancelled', {
      ...given({ runId: numberOf(options['run']) }),
      started: options['started'] !== 'no',
    }),
  );

const PARSERS: Readonly<Record<string, Parser>> = {
  compute,
  stopped,
  cancel: ([key = ''], options) => [build.cancelTask(key, numberOf(options['run']))],
  free: (words) => [build.freeKeys(...words)],
  acquire: (words) => [build.acquireReplicas(...words.map(dependency))],
  'who-has': (words) => [build.refreshWhoHas(...words.map(dependency))],
  'peer-lost': (words) => words.map(build.peerLost),
  success: (words, options) =>
    words.map((key) =>
      build.executeSuccess(
        key,
        given({
          runId: numberOf(options['run']),
          nbytes: numberOf(options['size']),
          durationMs: numberOf(options['ms']),
        }),
      ),
    ),
  failure: (words, options) =>
    words.map((key) =>
      build.executeFailure(key, {
        ...given({ runId: numberOf(options['run']) }),
        mayRetry: options['retry'] !== 'no',
      }),
    ),
  arrived: ([peer = '', ...words], options) => [
    build.gatherSuccess(peer, sizes(words), list(options['missing'])),
  ],
  busy: ([peer = '']) => [build.gatherBusy(peer)],
  broken: ([peer = '', ...words]) => [build.gatherNetworkFailure(peer, sizes(words))],
  put: ([key = ''], options) => [build.dataPut(key, numberOf(options['size']))],
  adopt: (words) => [build.valuesAdopted(sizes(words))],
  limit: (_words, options) => [build.limitChanged(offOr(options['transfer']) ?? false)],
  'values-lost': (words) => [build.valuesLost(...words)],
  admission: ([admission]) => [build.setAdmission(admission as Admission)],
  room: ([bytes]) => [build.setRoom(offOr(bytes) ?? false)],
  retire: () => [build.retireWorker()],
  'hand-back': () => [build.handBackUnstarted()],
  'session-begun': () => [build.sessionBegun()],
  status: ([status]) => [build.statusChange(status as WorkerStatus)],
  stuck: ([key = ''], options) => [
    build.slotStuck(Number(options['slot'] ?? 0), key, numberOf(options['for'])),
  ],
  growth: (_words, options) => [build.runawayGrowth(Number(options['slot'] ?? 0))],
  'session-lost': () => [build.sessionLost()],
  wait: () => [build.tick()],
};

export function parseCommand(line: string): readonly WorkerEvent[] {
  const { name, words, options } = split(line);
  const parser = PARSERS[name];
  if (parser === undefined)
    throw new InvalidArgumentError(`No command ${name}; there are ${Object.keys(PARSERS).join(', ')}`);
  return parser(words, options);
}
