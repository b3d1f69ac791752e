import { readFileSync } from 'node:fs';
import { InvalidConfigError } from '@spillway/kernel';

/** Paths of PEM files, as the settings `tls.*` have them. */
export interface TlsPaths {
  readonly ca: string | false;
  readonly cert: string | false;
  readonly key: string | false;
}

/** The files' contents; what `ServerSecurity` and `ChannelSecurity` of the protocol are made of. */
export interface TlsFiles {
  readonly ca?: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** For a listener: certificate and key; with a `ca`, peers must show a certificate it signed. `undefined` without TLS. */
export function serverSecurityOf(paths: TlsPaths): TlsFiles | undefined {
  const { ca, cert, key } = paths;
  if (cert === false || key === false) return undefined;
  return {
    ...(ca === false ? {} : { ca: read('tls.ca', ca) }),
    cert: read('tls.cert', cert),
    key: read('tls.key', key),
  };
}

/** For a connection: whom we trust, and what we show. `undefined` without TLS. */
export function channelSecurityOf(paths: TlsPaths): Partial<TlsFiles> | undefined {
  const { ca, cert, key } = paths;
  if (ca === false && cert === false) return undefined;
  return {
    ...(ca === false ? {} : { ca: read('tls.ca', ca) }),
    ...(cert === false ? {} : { cert: read('tls.cert', cert) }),
    ...(key === false ? {} : { key: read('tls.key', key) }),
  };
}

function read(setting: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new InvalidConfigError(`${setting} names ${path}, which cannot be read.`, {
      details: { setting, path },
      cause,
    });
  }
}
