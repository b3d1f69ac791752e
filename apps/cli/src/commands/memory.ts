import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '@spillway/config';
import { EXIT, ExitRequest } from '../exit-codes.js';
import { memoryTable } from '../memory-table.js';
import { hasColours } from '../terminal.js';

interface MemoryFlags {
  readonly json?: true;
  readonly timeout: string;
  readonly watch?: number | true;
}

const WATCH_EVERY_MS = 1000;
/** Cursor to the top left, and everything from there on cleared. */
const CLEAR = '\u001b[H\u001b[J';

/** Shows what the memory of each worker, and of the cluster, is used for. */
export function memoryCommand(): Command {
  return new Command('memory')
    .description("Show what the workers' memory is used for, as of their last heartbeats.")
    .argument('<scheduler>', 'host:port of the scheduler')
    .option('--watch [interval]', 'show it again and again, every second or as told', intervalOf)
    .option('--json', 'print one JSON document; with --watch, one a line')
    .option('--timeout <duration>', 'how long to try to connect', '10s')
    .action(async (scheduler: string, { json, timeout, watch }: MemoryFlags) => {
      const { connect } = await import('@spillway/client');
      await using client = await connect(scheduler, { timeout });
      const show = async (): Promise<void> => {
        const memory = await client.memory({ timeout });
        if (json === true) {
          process.stdout.write(`${JSON.stringify(memory, null, watch === undefined ? 2 : 0)}\n`);
          return;
        }
        const table = memoryTable(memory, { hasColours: hasColours(process.stdout) });
        process.stdout.write(`${watch !== undefined && process.stdout.isTTY ? CLEAR : ''}${table}`);
      };
      await show();
      if (watch !== undefined) await repeat(show, watch === true ? WATCH_EVERY_MS : watch);
    });
}

/** Until interrupted: then the client says good-bye, so that its session does not linger. */
async function repeat(show: () => Promise<void>, everyMs: number): Promise<never> {
  const controller = new AbortController();
  const { signal } = controller;
  process.once('SIGINT', () => controller.abort());
  try {
    for (;;) {
      await sleep(everyMs, undefined, { signal });
      await show();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  throw new ExitRequest(EXIT.interrupted);
}

function intervalOf(written: string): number {
  const durationMs = parseDuration(written);
  if (durationMs === undefined || durationMs === 0)
    throw new InvalidArgumentError('Write a duration such as 2s or 500ms.');
  return durationMs;
}
