import { checkExposure, isLoopback } from './exposure.js';

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['localhost', true],
  ['::1', true],
  ['0.0.0.0', false],
  ['10.0.0.1', false],
  ['127.evil.example', false],
])('%s is loopback: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

test('beyond loopback it needs TLS or a word', () => {
  const open = { what: 'scheduler', host: '0.0.0.0', hasTls: false, insecure: false };
  expect(() => checkExposure(open)).toThrow(/will not listen on 0\.0\.0\.0/);
  expect(() => checkExposure({ ...open, hasTls: true })).not.toThrow();
  expect(() => checkExposure({ ...open, insecure: true })).not.toThrow();
});
