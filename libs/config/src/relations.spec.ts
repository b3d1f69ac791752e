import fc from 'fast-check';
import { loadConfig } from './load-config.js';
import { RELATIONS } from './relations.js';
import { findSetting, type SpillwayConfig } from './settings.js';
import { optionsSource } from './source.js';

const load = (values: Readonly<Record<string, unknown>>): SpillwayConfig =>
  loadConfig([optionsSource(values)], ['scheduler', 'worker']);

test('relations are about settings that exist', () => {
  const paths = RELATIONS.flatMap((relation) => relation.paths);
  expect(paths.filter((path) => findSetting(path) === undefined)).toEqual([]);
});

test.each([
  [
    'a threshold above the next',
    { 'worker.memory.target': 0.75 },
    'target (0.75) must not be above spill (0.7)',
  ],
  ['a monitor slower than heartbeats', { 'worker.memory.monitor-interval': '1s' }, 'must be shorter than'],
  [
    'a gap that no paused worker gets below',
    { 'worker.memory.pause-release-gap': 0.8 },
    'the gap (0.8) must be smaller than pause (0.8)',
  ],
  [
    'a recycle before tasks are given back',
    { 'worker.memory.pause-recycle': 999 },
    'must not be longer than',
  ],
  ['an abort grace above the cancel grace', { 'worker.cancel-grace': 50 }, 'must not be longer than'],
  ['options that nothing takes', { 'worker.data-options': { a: 1 } }, 'set worker.data'],
  ['a first wait above the longest', { 'nanny.restart-backoff.max': 1 }, 'base (100ms)'],
  [
    'a time to live that one late heartbeat is the end of',
    { 'nanny.worker-ttl': '2s' },
    'at least 3 heartbeat intervals (1s each)',
  ],
  ['one port for two servers', { 'scheduler.http-port': 8786 }, 'both are 8786'],
  ['a certificate without its key', { 'tls.cert': 'c.pem' }, 'go together'],
  ['an open door', { 'scheduler.host': '0.0.0.0' }, 'security.insecure'],
  ['a relay later than the deadline', { 'client.relay-after': '1m' }, 'relay-after'],
])('%s is refused', (_, values, message) => {
  expect(() => load(values)).toThrow(message);
});

test('thresholds that are off do not have to fit between the others', () => {
  expect(load({ 'worker.memory.target': 0.75, 'worker.memory.spill': false }).worker.memory.target).toBe(
    0.75,
  );
  expect(() => load({ 'worker.memory.target': 0.85, 'worker.memory.spill': false })).toThrow('pause (0.8)');
});

test('listening beyond loopback is allowed with TLS or when it is said to be meant', () => {
  const tls = { 'tls.cert': 'c.pem', 'tls.key': 'k.pem' };
  expect(load({ 'worker.host': '0.0.0.0', ...tls }).worker.host).toBe('0.0.0.0');
  expect(load({ 'worker.host': '::', 'security.insecure': true }).worker.host).toBe('::');
  for (const host of ['localhost', '127.0.0.2', '::1', '[::1]'])
    expect(load({ 'nanny.host': host }).nanny.host).toBe(host);
});

test('a relation is left alone when one of its settings is wrong by itself', () => {
  expect(() => load({ 'worker.memory.target': 2, 'worker.memory.spill': 0.1 })).toThrow(
    /^One setting is wrong/,
  );
});

test('a broken relation names the origin of each setting', () => {
  expect(() => load({ 'worker.memory.target': 0.75 })).toThrow(
    '(worker.memory.target: options, worker.memory.spill: default)',
  );
});

test('thresholds that loaded are never out of order', () => {
  const threshold = fc.oneof(fc.constant(false as const), fc.double({ min: 0.01, max: 1, noNaN: true }));
  fc.assert(
    fc.property(fc.tuple(threshold, threshold, threshold, threshold), ([target, spill, pause, terminate]) => {
      const set = [target, spill, pause, terminate].filter((value) => value !== false);
      const isOrdered = set.every((value, index) => index === 0 || (set[index - 1] ?? 0) <= value);
      const attempt = (): SpillwayConfig =>
        load({ worker: { memory: { target, spill, pause, terminate, 'pause-release-gap': false } } });
      if (isOrdered) expect(attempt().worker.memory).toMatchObject({ target, spill, pause, terminate });
      else expect(attempt).toThrow('must not be above');
    }),
  );
});

test('a program that only connects may have settings of listeners around it', () => {
  const source = { origin: 'options', values: { 'scheduler.host': '0.0.0.0', 'worker.host': '0.0.0.0' } };
  expect(loadConfig([source]).scheduler.host).toBe('0.0.0.0');
  expect(() => loadConfig([source], ['scheduler'])).toThrow('0.0.0.0');
});
