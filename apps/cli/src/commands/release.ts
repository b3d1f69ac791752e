import { Command } from 'commander';
import { loadConfig, optionsSource, readConfigSources } from '@spillway/config';
import { channelSecurityOf, configDoors } from '@spillway/platform';

/** Ends the quarantine of a worker: what a nanny does by itself after `nanny.quarantine.release`. */
export function releaseCommand(): Command {
  return new Command('release')
    .description('Start a worker again that its nanny has put in quarantine because it died too often.')
    .argument('<nanny>', 'host:port of the nanny, as its log says')
    .argument('<worker>', 'name of the worker')
    .option('--reason <text>', 'for the logs', 'an operator said so')
    .action(async (address: string, worker: string, { reason }: { reason: string }) => {
      const sources = await readConfigSources(configDoors());
      // It listens nowhere itself, so that listening without TLS need not be allowed where it is asked.
      const { tls, client } = loadConfig([...sources, optionsSource({ 'security.insecure': true })]);
      const security = channelSecurityOf(tls);
      // Loaded only here: the other commands should not wait for gRPC to load.
      const { NannyClient } = await import('@spillway/protocol');
      const nanny = new NannyClient({
        address,
        timeoutMs: client.callTimeout,
        ...(security === undefined ? {} : { security }),
      });
      try {
        await nanny.releaseWorker(worker, reason);
      } finally {
        nanny.close();
      }
      process.stdout.write(`${worker} is being started.\n`);
    });
}
