import { Command, InvalidArgumentError, Option } from 'commander';
import { loadConfig, optionsSource, parseDuration, readConfigSources } from '@spillway/config';
import { channelSecurityOf, configDoors } from '@spillway/platform';
import { EXIT, ExitRequest } from '../exit-codes.js';

/** Asks a scheduler or a nanny whether it serves; what the containers' health checks run. */
export function healthCommand(): Command {
  return new Command('health')
    .description('Ask a scheduler or a nanny whether it serves (grpc.health.v1).')
    .argument('<address>', 'host:port of the scheduler or nanny')
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for the answer')
        .argParser(timeoutOf)
        .default(5000, '5s'),
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExits with 0 when it serves, 1 when it does not, 3 when nobody answers there.')
    .action(async (address: string, { timeout, json }: { timeout: number; json?: true }) => {
      const sources = await readConfigSources(configDoors());
      // It listens nowhere itself, so that listening without TLS need not be allowed where it is asked.
      const { tls } = loadConfig([...sources, optionsSource({ 'security.insecure': true })]);
      const security = channelSecurityOf(tls);
      // Loaded only here: the other commands should not wait for gRPC to load.
      const { checkHealth } = await import('@spillway/protocol');
      const isServing = await checkHealth({
        address,
        timeoutMs: timeout,
        ...(security === undefined ? {} : { security }),
      });
      const status = isServing ? 'SERVING' : 'NOT_SERVING';
      process.stdout.write(`${json === true ? JSON.stringify({ address, status }) : status}\n`);
      if (!isServing) throw new ExitRequest(EXIT.failed);
    });
}

function timeoutOf(written: string): number {
  const durationMs = parseDuration(written);
  if (durationMs === undefined || durationMs === 0)
    throw new InvalidArgumentError('Write a duration such as 5s or 500ms.');
  return durationMs;
}
