import { SessionExpiredError, VersionMismatchError, type ClientId } from '@spillway/kernel';
import { PROTOCOL_VERSION } from '@spillway/messages';

/** Refuses a peer whose protocol major is not ours; minors may differ, each side ignores what it does not know. */
export function checkProtocolVersion(
  who: string,
  hello: {
    readonly protocol: { readonly major: number; readonly minor: number };
    readonly softwareVersion: string;
  },
): void {
  if (hello.protocol.major === PROTOCOL_VERSION.major) return;
  throw new VersionMismatchError(
    `${who} speaks protocol ${hello.protocol.major}.${hello.protocol.minor} (software ${hello.softwareVersion}), this ` +
      `scheduler ${PROTOCOL_VERSION.major}.${PROTOCOL_VERSION.minor}. Upgrade the older of the two.`,
    { details: { theirs: String(hello.protocol.major), ours: String(PROTOCOL_VERSION.major) } },
  );
}

/** A client that wants to go on with what the scheduler does not have. */
export const notKnown = (clientId: ClientId): SessionExpiredError =>
  new SessionExpiredError(
    `The scheduler does not know client ${clientId} (any more): it was started anew, or the lease is over.`,
  );
