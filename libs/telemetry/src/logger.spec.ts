import { TaskFailedError } from '@spillway/kernel';
import type { Logger } from '@spillway/ports';
import { createLogger, type LoggerOptions } from './logger.js';

interface Captured {
  readonly logger: Logger;
  readonly lines: string[];
  readonly last: () => Record<string, unknown>;
}

function capture(options: Partial<LoggerOptions> = {}): Captured {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({
    service: 'worker',
    instance: 'w-1',
    level: 'debug',
    destination,
    ...options,
  });
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? '') as Record<string, unknown> };
}

test('a line is one JSON document with time, level, message, service and instance', () => {
  const { logger, lines, last } = capture();

  logger.info({ event: 'worker.paused', processBytes: 850 }, 'paused\nfor memory');

  expect(lines).toHaveLength(1);
  expect(lines[0]?.match(/\n/g)).toEqual(['\n']);
  expect(last()).toEqual({
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown,
    level: 'info',
    service: 'worker',
    instance: 'w-1',
    event: 'worker.paused',
    processBytes: 850,
    msg: 'paused\nfor memory',
  });
});

test('lines below the level are not written, and silent writes none', () => {
  const { logger, lines } = capture({ level: 'warn' });
  logger.debug({}, 'a');
  logger.info({}, 'b');
  logger.warn({}, 'c');
  logger.error({}, 'd');
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['c', 'd']);

  const silent = capture({ level: 'silent' });
  silent.logger.error({}, 'x');
  expect(silent.lines).toEqual([]);
});

test('a child adds its fields to every line', () => {
  const { logger, last } = capture();
  logger.child({ stimulusId: 's1' }).child({ key: 'x' }).debug({ attempt: 2 }, 'm');
  expect(last()).toMatchObject({ stimulusId: 's1', key: 'x', attempt: 2, service: 'worker' });
});

test('an error is written with type, message, stack, code and cause', () => {
  const { logger, last } = capture();
  const cause = new TypeError('no such column');

  logger.error({ err: new TaskFailedError('Task x failed', { cause, details: { key: 'x' } }) }, 'failed');

  expect(last()['err']).toMatchObject({
    type: 'TaskFailedError',
    message: 'Task x failed',
    stack: expect.stringContaining('logger.spec') as unknown,
    code: 'TASK_FAILED',
    details: { key: 'x' },
    cause: { type: 'TypeError', message: 'no such column' },
  });
});

test('a field cannot take the place of what every line has', () => {
  const { logger, lines, last } = capture();
  logger.info({ level: 9, service: 'other', msg: 'not this' }, 'this');
  expect(last()).toMatchObject({
    level: 'info',
    service: 'worker',
    msg: 'this',
    _level: 9,
    _service: 'other',
  });
  expect(lines[0]?.match(/"level":/g)).toHaveLength(1);
});

test('values that JSON does not have do not break a line', () => {
  const { logger, last } = capture();
  const cycle: Record<string, unknown> = { name: 'a' };
  cycle['self'] = cycle;
  logger.info({ cycle, big: 2n ** 60n, nothing: undefined, when: new Date(0) }, 'm');
  expect(last()).toMatchObject({ big: 1152921504606846976, when: '1970-01-01T00:00:00.000Z' });
});

describe('a planted token', () => {
  const TOKEN = 'tok-9f8e7d6c5b4a';
  const cases: readonly (readonly [string, (logger: Logger) => void])[] = [
    ['under its name', (logger) => logger.info({ token: TOKEN }, 'm')],
    ['deep inside', (logger) => logger.info({ a: [{ b: { accessToken: TOKEN } }] }, 'm')],
    ['in a header', (logger) => logger.info({ headers: { Authorization: `Bearer ${TOKEN}` } }, 'm')],
    ['in the environment for workers', (logger) => logger.info({ environ: { FOO: TOKEN } }, 'm')],
    ['in a child of the logger', (logger) => logger.child({ password: TOKEN }).info({}, 'm')],
    ['in the message', (logger) => logger.info({}, `sent Authorization: Bearer ${TOKEN}`)],
    ['in an address', (logger) => logger.info({ url: `https://ann:${TOKEN}@example.org/` }, 'm')],
    ['in a query', (logger) => logger.info({ url: `/metrics?token=${TOKEN}&x=1` }, 'm')],
    ['in an error', (logger) => logger.error({ err: new Error(`refused: token=${TOKEN}`) }, 'm')],
    [
      'in the details of the cause of an error',
      (logger) =>
        logger.error(
          { err: new Error('a', { cause: new TaskFailedError('b', { details: { secret: TOKEN } }) }) },
          'm',
        ),
    ],
  ];

  test.each(cases)('%s is not written', (_, write) => {
    const { logger, lines } = capture();
    write(logger);
    expect(lines.join('')).not.toContain(TOKEN);
    expect(lines.join('')).toContain('[redacted]');
  });

  test('is not looked for in keys of tasks', () => {
    const { logger, last } = capture();
    logger.info({ key: 'count-tokens-1', keys: ['a'] }, 'm');
    expect(last()).toMatchObject({ key: 'count-tokens-1', keys: ['a'] });
  });
});

test('for people, a line has the essentials first and the stack below', () => {
  const { logger, lines } = capture({ pretty: true });

  logger.warn({ event: 'worker.exited', exitCode: 137, err: new Error('gone') }, 'worker exited');

  const [head = '', ...rest] = lines.join('').split('\n');
  expect(head).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} WARN {2}worker\/w-1 worker exited event=worker\.exited exitCode=137$/,
  );
  expect(rest[0]).toBe('    Error: gone');
});
