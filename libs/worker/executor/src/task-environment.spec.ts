/** What a task finds around itself: its context, its console, its priority. */
import { getPriority } from 'node:os';
import type { TaskLogLine } from '@spillway/ports';
import { closeRigs, Rig } from './testing/executor-rig.js';
import { LOG_LINE_LENGTH_MAX, LOG_LINES_MAX, LOG_WINDOW_MS, TaskLog } from './thread-side/console-capture.js';

afterEach(closeRigs);

const CURRENT = "globalThis[Symbol.for('spillway.currentTask')].getStore()";
const textsOf = (lines: readonly TaskLogLine[]): string[] =>
  lines.map(({ level, text }) => `${level} ${text}`);

test('the current task knows its key, attempt and worker, also after an await and in another module', async () => {
  const rig = await Rig.start();
  const value = await rig.value(
    `async () => { await new Promise((r) => setTimeout(r, 1)); const { key, attempt, workerName } = ${CURRENT}; return { key, attempt, workerName }; }`,
    { key: 'me', attempt: 3 },
  );
  expect(value).toEqual({ key: 'me', attempt: 3, workerName: 'worker-a' });
});

test('outside of a task there is no current task', async () => {
  const rig = await Rig.start();
  const ref = rig.upload(`const atLoad = ${CURRENT}; exports.run = () => typeof atLoad;`);
  // Loading happens for the first task that needs the module, but belongs to none.
  await expect(rig.value(ref)).resolves.toBe('undefined');
});

test('the signal of a task that runs is not aborted', async () => {
  const rig = await Rig.start();
  await expect(rig.value(`() => ${CURRENT}.signal.aborted`)).resolves.toBe(false);
});

test('what a task prints becomes lines of the log with its key, formatted as a console does', async () => {
  const rig = await Rig.start();
  await rig.value(
    `() => {
      console.log('%d rows', 3, { a: 1 });
      console.debug('d'); console.info('i'); console.warn('w'); console.error(new Error('shown'));
      ${CURRENT}.logger.warn('by the logger', 5);
    }`,
    { key: 'talker' },
  );
  expect(rig.lines.every(({ key }) => key === 'talker')).toBe(true);
  expect(textsOf(rig.lines).map((text) => text.split('\n')[0]?.slice(0, 40))).toEqual([
    'info 3 rows { a: 1 }',
    'debug d',
    'info i',
    'warn w',
    expect.stringContaining('error Error: shown') as string,
    'warn by the logger 5',
  ]);
});

test('what a task writes to the standard streams is caught too, line by line', async () => {
  const rig = await Rig.start();
  await rig.value(
    String.raw`() => {
      process.stdout.write('half ');
      process.stdout.write('whole\nnext\n');
      process.stderr.write('bad\n');
      console.table([{ a: 1 }]);
    }`,
    { key: 'writer' },
  );
  expect(textsOf(rig.lines).slice(0, 3)).toEqual(['info half whole', 'info next', 'error bad']);
  expect(rig.lines.some(({ text }) => text.includes('(index)'))).toBe(true);
  expect(rig.lines.every(({ key }) => key === 'writer')).toBe(true);
});

test('printing something that cannot be shown does not fail the task', async () => {
  const rig = await Rig.start();
  await expect(
    rig.value("() => { console.log('%s', { toString() { throw new Error('no') } }); return 1; }"),
  ).resolves.toBe(1);
  expect(rig.lines).toHaveLength(1);
});

test('long lines are cut', async () => {
  const rig = await Rig.start();
  await rig.value("() => { console.log('x'.repeat(100_000)); process.stdout.write('y'.repeat(100_000)); }");
  expect(rig.lines.map(({ text }) => text.length)).toEqual([LOG_LINE_LENGTH_MAX, LOG_LINE_LENGTH_MAX]);
});

describe('the log of a thread', () => {
  const aLog = (): { log: TaskLog; texts: string[]; passMs: (ms: number) => void } => {
    const texts: string[] = [];
    let nowMs = 0;
    const log = new TaskLog(
      (_key, _level, text) => void texts.push(text),
      () => nowMs,
    );
    return { log, texts, passMs: (ms) => void (nowMs += ms) };
  };

  test('lets so many lines through, drops the others, and says how many with the next line', () => {
    const { log, texts, passMs } = aLog();
    for (let n = 0; n < LOG_LINES_MAX + 7; n += 1) log.write('k', 'info', `line ${n}`);
    expect(texts).toHaveLength(LOG_LINES_MAX);

    passMs(LOG_WINDOW_MS);
    log.write('k', 'info', 'after');

    expect(texts.slice(-2)).toEqual([expect.stringMatching(/^7 lines dropped/u) as string, 'after']);
  });

  test('says how many it dropped when the thread falls idle, once', () => {
    const { log, texts } = aLog();
    for (let n = 0; n < LOG_LINES_MAX + 1; n += 1) log.write('k', 'info', `line ${n}`);
    log.reportDropped();
    log.reportDropped();
    expect(texts.slice(LOG_LINES_MAX)).toEqual([expect.stringMatching(/^1 lines dropped/u) as string]);
  });
});

test('threads of user code yield to the control loop', async () => {
  if (process.platform !== 'linux') return;
  const rig = await Rig.start();
  await expect(rig.value("() => require('node:os').getPriority(0)")).resolves.toBe(
    Math.max(10, getPriority(0)),
  );
  expect(getPriority(0)).toBeLessThanOrEqual(10);
});
