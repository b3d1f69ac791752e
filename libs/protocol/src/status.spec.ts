import { Metadata, status } from '@grpc/grpc-js';
import {
  ClusterUnreachableError,
  DeadlineExceededError,
  ERROR_CLASSES,
  InvalidArgumentError,
  InvariantError,
  LimitExceededError,
  UnavailableError,
  VersionMismatchError,
  type ErrorCode,
} from '@spillway/kernel';
import { google } from '@spillway/proto';
import { fromServiceError, toServiceError } from './status.js';

const CODES = Object.keys(ERROR_CLASSES) as ErrorCode[];

function detailsOf(error: unknown): google.rpc.Status {
  const [packed] = toServiceError(error).metadata?.get('grpc-status-details-bin') ?? [];
  return google.rpc.Status.decode(packed as Buffer);
}

const packedAs = (error: unknown, name: string): Uint8Array | undefined =>
  detailsOf(error).details.find(({ type_url }) => type_url === `type.googleapis.com/google.rpc.${name}`)
    ?.value;

describe('errors as statuses', () => {
  test.each(CODES)('%s crosses and comes back as the same class with its details', (code) => {
    const error = new ERROR_CLASSES[code]('What happened.', { details: { key: 'sum-1', why: 'ünïcode' } });

    const back = fromServiceError({ ...toServiceError(error), name: 'Error', message: 'x' });

    expect(back).toBeInstanceOf(ERROR_CLASSES[code]);
    expect(back).toMatchObject({
      code,
      message: 'What happened.',
      details: { key: 'sum-1', why: 'ünïcode' },
    });
  });

  test('INTERNAL is for our own mistakes only', () => {
    const internal = CODES.filter(
      (code) => toServiceError(new ERROR_CLASSES[code]('x')).code === status.INTERNAL,
    );

    expect(internal).toEqual(['INVALID_TRANSITION', 'INVARIANT']);
    expect(toServiceError(new TypeError('x is undefined')).code).toBe(status.INTERNAL);
  });

  test('the details are a google.rpc.Status with ErrorInfo', () => {
    const error = new ERROR_CLASSES.UNKNOWN_KEY('No key sum-1.', { details: { key: 'sum-1' } });
    const { code, message } = detailsOf(error);
    const info = google.rpc.ErrorInfo.decode(packedAs(error, 'ErrorInfo') ?? new Uint8Array());

    expect({ code, message }).toEqual({ code: status.NOT_FOUND, message: 'No key sum-1.' });
    expect(info).toMatchObject({ reason: 'UNKNOWN_KEY', domain: 'spillway', metadata: { key: 'sum-1' } });
  });

  test('what may be tried again says after how long', () => {
    const asked = new LimitExceededError('Busy.', { details: { retryAfterMs: '250' } });
    const retry = google.rpc.RetryInfo.decode(packedAs(asked, 'RetryInfo') ?? new Uint8Array());

    expect(retry.retryDelay).toMatchObject({ nanos: 250_000_000 });
    expect(packedAs(new UnavailableError('x'), 'RetryInfo')).toBeDefined();
    expect(packedAs(new LimitExceededError('x'), 'RetryInfo')).toBeUndefined();
  });

  test('a bad field is a field violation', () => {
    const error = new InvalidArgumentError('x', {
      details: { field: 'tasks[3].key', problem: 'must not be empty' },
    });
    const { fieldViolations } = google.rpc.BadRequest.decode(
      packedAs(error, 'BadRequest') ?? new Uint8Array(),
    );

    expect(fieldViolations).toMatchObject([{ field: 'tasks[3].key', description: 'must not be empty' }]);
  });

  test('text that is cut inside a surrogate pair, or was before, still travels in headers', () => {
    const pairs = `x${'🙂'.repeat(1000)}`;
    const error = new InvalidArgumentError(pairs, { details: { key: pairs, 'half \ud83d': 'half \ud83d' } });
    const { details: message } = toServiceError(error);
    expect(() => encodeURI(message ?? '')).not.toThrow();
    const back = fromServiceError({ ...toServiceError(error), name: 'Error', message: 'x' });
    expect(back.details['key']).toMatch(/^x(🙂)+\ufffd$/u);
    expect(back.details['half \ufffd']).toBe('half \ufffd');
  });

  test('long messages and many details are cut, as headers are small', () => {
    const details = Object.fromEntries(
      Array.from({ length: 500 }, (_, i) => [`detail-${i}`, 'x'.repeat(5000)]),
    );
    const { metadata, details: message } = toServiceError(
      new InvalidArgumentError('y'.repeat(100_000), { details }),
    );

    expect(message).toHaveLength(1000);
    expect((metadata?.get('grpc-status-details-bin')[0] as Buffer).length).toBeLessThan(8192);
  });

  test.each([
    [status.UNAVAILABLE, ClusterUnreachableError],
    [status.DEADLINE_EXCEEDED, DeadlineExceededError],
    [status.RESOURCE_EXHAUSTED, LimitExceededError],
    [status.UNIMPLEMENTED, VersionMismatchError],
    [status.INVALID_ARGUMENT, InvalidArgumentError],
    [status.INTERNAL, UnavailableError],
    [status.UNKNOWN, UnavailableError],
  ])('a status %p without our details becomes a typed error', (code, type) => {
    expect(fromServiceError({ code, details: 'said', metadata: new Metadata() })).toBeInstanceOf(type);
  });

  test('details that are not readable, or of another domain, are ignored', () => {
    const broken = new Metadata();
    broken.set('grpc-status-details-bin', Buffer.from([0xff, 0xff, 0xff]));

    expect(
      fromServiceError({ code: status.INVALID_ARGUMENT, details: 'x', metadata: broken }),
    ).toBeInstanceOf(InvalidArgumentError);
    expect(fromServiceError(new TypeError('ours'))).toBeInstanceOf(InvariantError);
  });
});
