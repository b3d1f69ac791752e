import { decodeValue } from './decode-value.js';
import { encodeValue } from './encode-value.js';

const roundTrip = <T>(value: T): T => decodeValue(encodeValue(value)) as T;

it('keeps code and every other own property of an error', () => {
  const original = Object.assign(new TypeError('no'), {
    code: 'E_NO',
    details: { path: ['a', new Date(0)] },
  });
  const decoded = roundTrip(original);
  expect(decoded).toBeInstanceOf(TypeError);
  expect(decoded.message).toBe('no');
  expect(decoded.stack).toBe(original.stack);
  expect(decoded.code).toBe('E_NO');
  expect(decoded.details.path[1]).toEqual(new Date(0));
  expect(Object.keys(decoded)).toEqual(['code', 'details']);
});

it('keeps the cause, whatever it is, and says nothing of one that is not there', () => {
  const inner = new RangeError('inner', { cause: 'text' });
  const decoded = roundTrip(new Error('outer', { cause: inner }));
  expect((decoded.cause as Error).name).toBe('RangeError');
  expect((decoded.cause as Error).cause).toBe('text');
  expect(Object.keys(decoded)).toEqual([]);
  expect(Object.hasOwn(roundTrip(new Error('x')), 'cause')).toBe(false);
  expect(Object.hasOwn(roundTrip(new Error('x', { cause: undefined })), 'cause')).toBe(true);
});

it('keeps the errors of an AggregateError', () => {
  const decoded = roundTrip(new AggregateError([Object.assign(new Error('1'), { code: 'A' }), 'two'], 'all'));
  expect(decoded).toBeInstanceOf(AggregateError);
  expect(decoded.errors[0]).toMatchObject({ message: '1', code: 'A' });
  expect(decoded.errors[1]).toBe('two');
});

it('keeps name, message and stack of error classes it does not know', () => {
  class TooHotError extends RangeError {
    override readonly name = 'TooHotError';
  }
  class QuietError extends Error {
    get code(): string {
      return 'QUIET';
    }
  }
  QuietError.prototype.name = 'QuietError';
  const hot = roundTrip(new TooHotError('90°'));
  expect(hot).toBeInstanceOf(RangeError);
  expect([hot.name, hot.message]).toEqual(['TooHotError', '90°']);
  expect(hot.stack).toContain('90°');
  expect(roundTrip(new QuietError('sh'))).toMatchObject({ name: 'QuietError', code: 'QUIET', message: 'sh' });
});

it('keeps what a DOMException says', () => {
  expect(roundTrip(new DOMException('stopped', 'AbortError'))).toMatchObject({
    name: 'AbortError',
    message: 'stopped',
    code: 20,
  });
});

it('keeps an error that leads to itself one error', () => {
  const original: Error & { self?: unknown } = new Error('loop');
  original.self = [original];
  original.cause = original;
  const decoded = roundTrip({ first: original, second: original });
  expect(decoded.first).toBe(decoded.second);
  expect(decoded.first.cause).toBe(decoded.first);
  expect((decoded.first.self as unknown[])[0]).toBe(decoded.first);
});
