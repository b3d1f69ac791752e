/**
 * Runs a readable conversation with a machine: each block is a command, `----`, and what came of it (moves, then
 * instructions). Covers parsing and running; reading and writing the files is the spec's part.
 */
import { InvalidArgumentError, must } from '@spillway/kernel';
import type { WorkerEvent } from '../events.js';
import type { WorkerMachine } from '../worker-machine.js';
import { because } from './builders.js';
import { describeInstruction, describeMoves } from './describe.js';
import { parseCommand, parseWorker } from './golden-commands.js';

export interface GoldenBlock {
  /** Comments and command, as written. */
  readonly input: string;
  readonly expected: string;
}

export class GoldenScript {
  #machine: WorkerMachine | undefined;
  #nowMs = 0;
  #eventCount = 0;

  static parse(text: string): GoldenBlock[] {
    return text
      .trim()
      .split(/\n\n+/)
      .map((block) => {
        const [input, expected] = block.split('\n----\n');
        if (input === undefined || expected === undefined)
          throw new InvalidArgumentError(`A block has no result after ---- : ${block}`);
        return { input, expected };
      });
  }

  static format(blocks: readonly GoldenBlock[]): string {
    return `${blocks.map(({ input, expected }) => `${input}\n----\n${expected}`).join('\n\n')}\n`;
  }

  /** What really comes of each block, in order. */
  run(blocks: readonly GoldenBlock[]): GoldenBlock[] {
    const actual = blocks.map(({ input }) => ({ input, expected: this.#runBlock(input) }));
    this.#machine?.check();
    return actual;
  }

  #runBlock(input: string): string {
    const lines = input.split('\n').filter((line) => !line.startsWith('#'));
    return lines.map((line) => this.#runLine(line)).join('\n');
  }

  #runLine(line: string): string {
    const [name] = line.split(' ');
    if (name === 'worker') {
      this.#machine = parseWorker(line);
      return 'ok';
    }
    const machine = must(this.#machine, 'worker line');
    if (name === 'queries') return describeQueries(machine, this.#nowMs);
    if (name === 'wait') this.#nowMs += Number(line.split(' ')[1]);
    const outputs = parseCommand(line).map((event) => this.#handle(machine, event));
    const text = outputs.flat().join('\n');
    return text === '' ? 'nothing' : text;
  }

  #handle(machine: WorkerMachine, event: WorkerEvent): string[] {
    const cause = `event-${++this.#eventCount}`;
    const instructions = machine.handle(because(event, cause), this.#nowMs);
    const moves = machine.story().filter((entry) => entry.stimulusId === cause);
    return [...describeMoves(moves), ...instructions.map(describeInstruction)];
  }
}

function describeQueries(machine: WorkerMachine, nowMs: number): string {
  const executing = machine
    .executing(nowMs)
    .map(({ key, runId, forMs }) => `${key}#${runId} for ${forMs} ms`);
  const holdings = machine.holdings().map(({ key, nbytes }) => `${key}:${nbytes}`);
  const wake = machine.nextWakeMs;
  return [
    `status ${machine.status}, wake ${wake === undefined ? 'never' : `in ${wake - nowMs} ms`}`,
    `executing ${executing.join(', ') || 'nothing'}`,
    `holdings ${holdings.join(' ') || 'none'}`,
  ].join('\n');
}
