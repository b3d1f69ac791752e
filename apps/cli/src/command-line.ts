import { Command, CommanderError } from 'commander';
import { SOFTWARE_VERSION, SpillwayError } from '@spillway/kernel';
import type { ProgramFiles } from '@spillway/platform';
import { configCommand } from './commands/config.js';
import { healthCommand } from './commands/health.js';
import { localCommand } from './commands/local.js';
import { memoryCommand } from './commands/memory.js';
import { nannyCommand } from './commands/nanny.js';
import { releaseCommand } from './commands/release.js';
import { restartCommand } from './commands/restart.js';
import { retireCommand } from './commands/retire.js';
import { schedulerCommand } from './commands/scheduler.js';
import { trimCommand } from './commands/trim.js';
import { workerCommand } from './commands/worker.js';
import { workersCommand } from './commands/workers.js';
import { EXIT, exitCodeOf, ExitRequest } from './exit-codes.js';

/** Parses and runs `spillway …`; resolves with the exit code (conventions I03). Help goes to stdout, errors to stderr. */
export async function runCommandLine(argv: readonly string[], programs: ProgramFiles): Promise<number> {
  const root = new Command('spillway')
    .description(
      'Runs graphs of TypeScript functions on a cluster of Node.js workers that never outgrow their memory.',
    )
    .version(SOFTWARE_VERSION, '--version', 'print the version')
    .helpOption('--help', 'print this text')
    .showSuggestionAfterError()
    .showHelpAfterError('(try --help)')
    .addHelpText(
      'after',
      `\nExit codes: 0 ok, 1 failed, 2 usage or settings, 3 cannot connect, 4 timeout, 130 interrupted.`,
    );
  for (const command of [
    schedulerCommand(),
    nannyCommand(programs),
    workerCommand(programs),
    localCommand(programs),
    workersCommand(),
    memoryCommand(),
    trimCommand(),
    releaseCommand(),
    retireCommand(),
    restartCommand(),
    healthCommand(),
    configCommand(),
  ]) {
    root.addCommand(command.helpOption('--help', 'print this text').showSuggestionAfterError());
  }
  for (const command of allOf(root)) command.exitOverride();
  try {
    await root.parseAsync([...argv]);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof ExitRequest) return error.exitCode;
    // Commander has printed what was wrong already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    process.stderr.write(
      `${error instanceof SpillwayError ? `${error.code}: ${error.message}` : String(error)}\n`,
    );
    return exitCodeOf(error);
  }
}

function allOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}
