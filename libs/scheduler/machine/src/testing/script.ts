/**
 * Golden scripts: blocks of command lines, `----`, and what came of them. A first command `scheduler` sets the machine's
 * options. Reading and writing the files is the spec's part.
 */
import type { SchedulerMachineOptions } from '../options.js';
import { parseOptions, runCommand } from './script-commands.js';
import { showInstruction, showMoves } from './script-output.js';
import { TestScheduler } from './test-scheduler.js';

const RULE = '----';

/** Runs the commands of a script and returns the script as it should be, given what the machine does now. */
export function replayScript(text: string): string {
  let scheduler = new TestScheduler();
  const blocks = text.trimEnd().split(/\n\n+/);
  const replayed = blocks.map((block) => {
    const input = block.split(`\n${RULE}`)[0] ?? '';
    const commands = input.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    if (commands.length === 0) return block;
    const [first = ''] = commands;
    if (first.startsWith('scheduler')) {
      scheduler = new TestScheduler(schedulerOptions(first));
      commands.shift();
    }
    const output = runBlock(scheduler, commands);
    return [input, RULE, ...(output.length === 0 ? ['ok'] : output)].join('\n');
  });
  return `${replayed.join('\n\n')}\n`;
}

function runBlock(scheduler: TestScheduler, commands: readonly string[]): string[] {
  const movesBefore = scheduler.machine.recentMoves().length;
  const instructions = commands.flatMap((line) => [...runCommand(scheduler, line)]);
  const lines = showMoves(scheduler.machine, movesBefore);
  for (const instruction of instructions) {
    const line = showInstruction(instruction);
    if (line !== undefined) lines.push(line);
  }
  const { nextWakeMs } = scheduler.machine;
  if (nextWakeMs !== undefined) lines.push(`wakes in ${nextWakeMs - scheduler.nowMs} ms`);
  return lines;
}

function schedulerOptions(line: string): SchedulerMachineOptions {
  const given = parseOptions(line.split(/\s+/).slice(1));
  const count = (name: string): number | undefined =>
    given[name] === undefined ? undefined : Number(given[name]);
  return {
    allowedFailures: count('allowed-failures') ?? 3,
    commitStepsMax: count('steps') ?? 5_000,
    clientLeaseMs: count('lease') ?? 30_000,
    memoryStuckTimeoutMs: given['stuck-timeout'] === 'off' ? false : (count('stuck-timeout') ?? 30_000),
    noWorkersTimeoutMs: count('no-workers-timeout') ?? false,
    ...(count('copies') === undefined ? {} : { copiesInFlightMax: count('copies')! }),
    ...(count('copy-bytes') === undefined ? {} : { copyBytesInFlightMax: count('copy-bytes')! }),
    prefetchMs: count('prefetch') ?? 10,
  };
}
