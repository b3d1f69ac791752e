import type { LogFields, Logger } from '@spillway/ports';
import { RateLimitedWarnings } from './rate-limited-warnings.js';

function collect(): { logger: Logger; warnings: LogFields[] } {
  const warnings: LogFields[] = [];
  const refuse = (): never => {
    throw new Error('only warnings are expected');
  };
  const warn = (fields: LogFields): void => void warnings.push(fields);
  return { logger: { debug: refuse, info: refuse, error: refuse, child: refuse, warn }, warnings };
}

test('a warning is written once per interval, with the number held back', () => {
  const { logger, warnings } = collect();
  const limited = new RateLimitedWarnings(logger, 1000);

  for (const nowMs of [0, 200, 999, 1000, 1200, 2100]) limited.warn('memory', { nowMs }, 'high', nowMs);

  expect(warnings).toEqual([
    { nowMs: 0 },
    { nowMs: 1000, heldBackCount: 2 },
    { nowMs: 2100, heldBackCount: 1 },
  ]);
});

test('warnings of different names do not hold each other back', () => {
  const { logger, warnings } = collect();
  const limited = new RateLimitedWarnings(logger, 1000);
  limited.warn('a', {}, 'm', 0);
  limited.warn('b', {}, 'm', 1);
  expect(warnings).toHaveLength(2);
});

test('any number of names takes a bounded memory, and costs at most a repeated warning', () => {
  const { logger, warnings } = collect();
  const limited = new RateLimitedWarnings(logger, 1e9);
  for (let name = 0; name < 1500; name++) limited.warn(`${name}`, {}, 'm', 0);
  limited.warn('1499', {}, 'm', 1);
  expect(warnings).toHaveLength(1500);
  limited.warn('0', {}, 'm', 1);
  expect(warnings).toHaveLength(1501);
});
