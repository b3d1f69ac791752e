import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigDoors } from '@spillway/config';
import { InvalidArgumentError, InvalidConfigError } from '@spillway/kernel';
import { clientConfig } from './client-config.js';

const doors = (env: Record<string, string>, file?: string): ConfigDoors => ({
  env,
  cwd: '/project',
  homeDir: undefined,
  readFile: (path) => (path === '/project/spillway.yaml' ? file : undefined),
  listFolder: () => [],
});

test('what is given in code wins over variables, those over files, those over the defaults', async () => {
  const file = 'client:\n  relay-after: 3s\n  call-timeout: 3s\n  gather-window: 3 MiB\n';
  const env = { SPILLWAY_CLIENT__RELAY_AFTER: '2s', SPILLWAY_CLIENT__CALL_TIMEOUT: '4s' };
  await expect(clientConfig({ relayAfter: '1s' }, doors(env, file))).resolves.toEqual({
    relayAfter: 1000,
    callTimeout: 4000,
    gatherWindow: 3 * 1024 ** 2,
    connectTimeout: 30_000,
    resumeGrace: 30_000,
    inlineArgumentMax: 64 * 1024,
    security: undefined,
  });
  const given = { timeout: 5, resumeGrace: '1 minute', callTimeout: '7s' };
  await expect(clientConfig(given, doors(env))).resolves.toMatchObject({
    connectTimeout: 5,
    resumeGrace: 60_000,
    callTimeout: 7000,
    relayAfter: 2000,
  });
});

test('everything wrong is reported at once, and a wrong option by its name', async () => {
  const env = { SPILLWAY_CLIENT__RELAY_AFTER: 'soon', SPILLWAY_CLIENT__GATHER_WINDOW: 'much' };
  const failing = clientConfig({}, doors(env));
  await expect(failing).rejects.toThrow(InvalidConfigError);
  await expect(failing).rejects.toThrow(/relay-after[^]*gather-window|gather-window[^]*relay-after/i);
  await expect(clientConfig({ relayAfter: 'soon' }, doors({}))).rejects.toThrow(InvalidArgumentError);
});

describe('TLS', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'spillway-tls-'));
    for (const name of ['ca', 'cert', 'key']) writeFileSync(join(folder, name), `the ${name}`);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('comes from the files that are named', async () => {
    const file = (name: string): string => join(folder, name);
    const env = {
      SPILLWAY_TLS__CA: file('ca'),
      SPILLWAY_TLS__CERT: file('cert'),
      SPILLWAY_TLS__KEY: file('key'),
    };
    const { security } = await clientConfig({}, doors(env));
    expect(security).toEqual({
      ca: Buffer.from('the ca'),
      cert: Buffer.from('the cert'),
      key: Buffer.from('the key'),
    });
  });

  test('that is given in code is taken instead', async () => {
    const given = { ca: Buffer.from('mine') };
    const env = { SPILLWAY_TLS__CA: join(folder, 'ca') };
    await expect(clientConfig({ security: given }, doors(env))).resolves.toMatchObject({ security: given });
  });

  test('files that are not there are reported', async () => {
    const failing = clientConfig({}, doors({ SPILLWAY_TLS__CA: join(folder, 'missing') }));
    await expect(failing).rejects.toThrow(/tls.ca names .*missing/);
  });
});
