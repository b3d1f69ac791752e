/** The settings of one client: options given in code, over variables, over files, over the defaults. */
import {
  loadConfig,
  optionsSource,
  readConfigSources,
  type ClientConfig,
  type ConfigDoors,
} from '@spillway/config';
import { channelSecurityOf } from '@spillway/platform';
import type { ChannelSecurity } from '@spillway/protocol';
import { toMs, type Duration } from './call-options.js';

/** Settings that can be given in code; what is absent is looked for elsewhere. */
export interface GivenSettings {
  /** `client.connect-timeout`. */
  readonly timeout?: Duration | undefined;
  /** `client.resume-grace`. */
  readonly resumeGrace?: Duration | undefined;
  /** `client.call-timeout`. */
  readonly callTimeout?: Duration | undefined;
  /** `client.relay-after`. */
  readonly relayAfter?: Duration | undefined;
  /** Instead of the files that `tls.*` names. */
  readonly security?: ChannelSecurity | undefined;
}

export interface ResolvedSettings extends ClientConfig {
  /** `undefined`: not encrypted. */
  readonly security: ChannelSecurity | undefined;
}

/** Rejects with `InvalidConfigError` (everything wrong in any source at once) and `InvalidArgumentError`. */
export async function clientConfig(given: GivenSettings, doors: ConfigDoors): Promise<ResolvedSettings> {
  const { timeout, resumeGrace, callTimeout, relayAfter } = given;
  const durations = { connectTimeout: timeout, resumeGrace, callTimeout, relayAfter };
  const inMs = Object.entries(durations).map(([name, duration]) => [name, asMs(duration, name)] as const);
  const sources = await readConfigSources(doors);
  const { client, tls } = loadConfig([...sources, optionsSource({ client: Object.fromEntries(inMs) })]);
  return { ...client, security: given.security ?? channelSecurityOf(tls) };
}

function asMs(duration: Duration | undefined, name: string): number | undefined {
  return duration === undefined ? undefined : toMs(duration, name);
}
