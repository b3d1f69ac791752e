/** How channels and servers are secured. Which of it is required where is the programs' business. */
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';

/** TLS of the side that connects; without it a channel is not encrypted. PEM contents. */
export interface ChannelSecurity {
  /** Whom to trust. Default: what Node trusts. */
  readonly ca?: Buffer;
  /** What to show, with its key, where the server wants to see a certificate. */
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** TLS of the side that listens. PEM contents. */
export interface ServerSecurity {
  /** With it, whoever connects must show a certificate that it signed. */
  readonly ca?: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

export const channelCredentials = (security: ChannelSecurity | undefined): ChannelCredentials =>
  security === undefined
    ? ChannelCredentials.createInsecure()
    : ChannelCredentials.createSsl(security.ca ?? null, security.key ?? null, security.cert ?? null);

export const serverCredentials = (security: ServerSecurity | undefined): ServerCredentials =>
  security === undefined
    ? ServerCredentials.createInsecure()
    : ServerCredentials.createSsl(
        security.ca ?? null,
        [{ private_key: security.key, cert_chain: security.cert }],
        security.ca !== undefined,
      );
