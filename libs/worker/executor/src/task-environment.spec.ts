/** What a task finds around itself: its context, its console, its priority. */
import { getPriority } from 'node:os';
import type { TaskLogLine } from '@spillway/ports';
import { closeRigs, Rig } from './testing/executor-rig.js';
import { LOG_LINE_LENGTH_MAX, LOG_LINES_MAX } from './thread-side/console-capture.js';

afterEach(closeRigs);

const CURRENT = "globalThis[Symbol.for('spillway.currentTask')].getStore()";
const textsOf = (lines: readonly TaskLogLine[]): string[] => lines.map(({ level, text }) => `${level} ${text}`);

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

test('long lines are cut and floods are dropped, with a count of what was', async () => {
  const rig = await Rig.start();
  const printedCount = LOG_LINES_MAX * 4;
  await rig.value(
    `() => { console.log('x'.repeat(100_000)); for (let i = 1; i < ${printedCount}; i += 1) console.log(i); }`,
  );
  await rig.value('() => 1');

  expect(rig.lines[0]?.text).toHaveLength(LOG_LINE_LENGTH_MAX);
  const counts = rig.lines.flatMap(({ text }) => /^(\d+) lines dropped/u.exec(text)?.[1] ?? []);
  const droppedCount = counts.reduce((sum, count) => sum + Number(count), 0);
  expect(droppedCount).toBeGreaterThan(0);
  expect(rig.lines.length - counts.length + droppedCount).toBe(printedCount);
});

test('threads of user code yield to the control loop', async () => {
  if (process.platform !== 'linux') return;
  const rig = await Rig.start();
  await expect(rig.value("() => require('node:os').getPriority(0)")).resolves.toBe(Math.max(10, getPriority(0)));
  expect(getPriority(0)).toBeLessThanOrEqual(10);
});
