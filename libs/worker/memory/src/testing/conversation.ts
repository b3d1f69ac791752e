/**
 * A conversation with the machine as text (style.md 5.8): performs one command of a golden script and gives the lines that
 * come out. Reading and writing the scripts is `@spillway/testkit`'s.
 */
import { asTaskKey, InvalidArgumentError, must } from '@spillway/kernel';
import type { SpillFailureReason } from '@spillway/messages';
import type { HoardSample, MemoryHappening } from '../events.js';
import type { MemoryInstruction } from '../instructions.js';
import type { MemoryMachineOptions } from '../options.js';
import { keysOf, Rehearsal } from './builders.js';
import { describeInstruction, describeReadings } from './describe.js';

/** `store x size=10` is the command `store` with the word `x` and the option `size`. */
export interface Command {
  readonly name: string;
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string>>;
}

const OPTION_NAMES: Readonly<Record<string, keyof MemoryMachineOptions>> = {
  limit: 'limitBytes',
  target: 'targetFraction',
  spill: 'spillFraction',
  pause: 'pauseFraction',
  terminate: 'terminateFraction',
  gap: 'pauseReleaseGapFraction',
  return: 'pauseReturnMs',
  recycle: 'pauseRecycleMs',
  debt: 'spillDebtFraction',
  garbage: 'garbageDebtFraction',
  trim: 'trimBytes',
  recent: 'recentToOldMs',
};

const amount = (text: string): number | false => (text === 'off' ? false : Number(text));

export class Conversation {
  #rehearsal: Rehearsal | undefined;
  /** The eviction each key is leaving with. */
  readonly #evictIds = new Map<string, number>();

  run(command: Command): string[] {
    if (command.name === 'worker') {
      this.#rehearsal = new Rehearsal(optionsOf(command));
      return [];
    }
    const rehearsal = must(this.#rehearsal, 'worker line');
    if (command.name === 'readings') return describeReadings(rehearsal.machine.readings());
    const instructions =
      command.name === 'wait'
        ? rehearsal.wait(Number(command.words[0]))
        : this.#happenings(command).flatMap((happening) => rehearsal.say(happening));
    this.#remember(instructions);
    return instructions.length === 0 ? ['nothing'] : instructions.map(describeInstruction);
  }

  #remember(instructions: readonly MemoryInstruction[]): void {
    for (const instruction of instructions)
      if (instruction.type === 'evict')
        for (const key of instruction.keys) this.#evictIds.set(key, instruction.evictId);
  }

  #happenings({ name, words, options }: Command): MemoryHappening[] {
    const nbytes = Number(options['size'] ?? 0);
    switch (name) {
      case 'store':
        return words.map((word) => ({ type: 'value-stored', key: asTaskKey(word), nbytes }));
      case 'adopt': {
        const diskBytes = Number(options['disk']);
        const values = words.map((word) => ({ key: asTaskKey(word), nbytes, diskBytes }));
        return [{ type: 'values-adopted', values }];
      }
      case 'touch':
      case 'free':
      case 'load': {
        const types = { touch: 'value-touched', free: 'value-freed', load: 'value-loaded' } as const;
        return words.map((word) => ({ type: types[name], key: asTaskKey(word) }));
      }
      case 'pin':
        return [{ type: 'inputs-pinned', keys: keysOf(words) }];
      case 'unpin':
        return [{ type: 'inputs-unpinned', keys: keysOf(words) }];
      case 'evicted':
        return words.map((word) => this.#evicted(word, Number(options['disk'])));
      case 'kept':
        return words.map((word) => this.#kept(word, Number(options['disk'])));
      case 'failed':
        return words.map((word) => this.#failed(word, options['reason'] as SpillFailureReason));
      default:
        return [processHappening(name, words, options)];
    }
  }

  #evicted(name: string, diskBytes: number): MemoryHappening {
    const evictId = must(this.#evictIds.get(name), `eviction of ${name}`);
    return { type: 'evict-done', evictId, evicted: [{ key: asTaskKey(name), diskBytes }] };
  }

  #kept(name: string, diskBytes: number): MemoryHappening {
    const evictId = must(this.#evictIds.get(name), `eviction of ${name}`);
    return { type: 'evict-kept', evictId, kept: [{ key: asTaskKey(name), diskBytes }] };
  }

  #failed(name: string, reason: SpillFailureReason): MemoryHappening {
    const evictId = must(this.#evictIds.get(name), `eviction of ${name}`);
    return { type: 'evict-failed', evictId, keys: [asTaskKey(name)], reason };
  }
}

function processHappening(
  name: string,
  words: readonly string[],
  options: Command['options'],
): MemoryHappening {
  const durationMs = Number(options['took'] ?? 1);
  switch (name) {
    case 'cached':
      return { type: 'copies-cached', bytes: Number(words[0]) };
    case 'memory':
      return sampleOf(options);
    case 'collected':
      return { type: 'collected', durationMs };
    case 'trimmed':
      return { type: 'trimmed', durationMs, isSupported: !words.includes('unsupported') };
    case 'limit':
      return { type: 'limit-changed', limitBytes: amount(words[0] ?? '') };
    default:
      throw new InvalidArgumentError(`There is no command ${name}`);
  }
}

function sampleOf(options: Command['options']): MemoryHappening {
  const { process, v8, garbage, malloc, executing } = options;
  const hoard: HoardSample = {
    ...(v8 === undefined ? {} : { v8UnusedBytes: Number(v8) }),
    ...(garbage === undefined ? {} : { garbageDebtBytes: Number(garbage) }),
    ...(malloc === undefined ? {} : { mallocFreeBytes: Number(malloc) }),
  };
  return {
    type: 'memory-sampled',
    processBytes: Number(process),
    hoard,
    executingCount: Number(executing ?? 0),
  };
}

function optionsOf({ options }: Command): Partial<MemoryMachineOptions> {
  const entries = Object.entries(options).map(([name, text]) => {
    const option = OPTION_NAMES[name];
    if (option === undefined) throw new InvalidArgumentError(`A worker has no option ${name}`);
    return [option, amount(text)];
  });
  return Object.fromEntries(entries) as Partial<MemoryMachineOptions>;
}
