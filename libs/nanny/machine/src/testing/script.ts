/**
 * Golden scripts of a nanny, as `CommandRunner` of testkit's script.ts: a command, `----`, and the instructions that came of it.
 * Looks at memory are asked for all the time: they are answered with what `memory` said last, and not shown.
 */
import { asStimulusId, asWorkerId, assertNever } from '@spillway/kernel';
import type { NannyToScheduler, Verdict } from '@spillway/messages';
import type { NannyEvent } from '../events.js';
import type { NannyInstruction } from '../instructions.js';
import type { NannyMachineOptions } from '../options.js';
import { aNanny } from './a-nanny.js';

interface Command {
  readonly name: string;
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string>>;
}

const stimulusId = asStimulusId('script');

/** Runs the commands of one script against one machine, which its first command `nanny` makes. */
export function nannyScript(): (command: Command) => readonly string[] {
  const script = new NannyScript();
  return (command) => script.run(command);
}

class NannyScript {
  #nanny = aNanny();
  #nowMs = 0;
  #processBytes = 100_000_000;

  run({ name, words, options }: Command): string[] {
    const [word = ''] = words;
    switch (name) {
      case 'nanny':
        this.#nanny = aNanny(optionsOf(options));
        return [];
      case 'memory':
        this.#processBytes = Number(word);
        return [];
      case 'wait':
        return this.#wait(this.#nowMs + Number(word));
      case 'absent':
        // Neither the nanny nor anything else on its machine runs.
        this.#nowMs += Number(word);
        return [];
      default:
        return this.#handle(this.#event(name, word, options));
    }
  }

  #event(name: string, word: string, options: Readonly<Record<string, string>>): NannyEvent {
    const workerId = asWorkerId(word);
    const slot = Number(/\/(\d+)-/.exec(word)?.[1] ?? 0);
    const reason = (options['reason'] ?? '').replaceAll('-', ' ');
    switch (name) {
      case 'start':
        return { type: 'start', stimulusId };
      case 'spawned':
        return { type: 'worker-spawned', stimulusId, slot, workerId, pid: Number(options['pid'] ?? 42) };
      case 'ready':
        return { type: 'worker-ready', stimulusId, slot, workerId };
      case 'alive':
        return { type: 'worker-alive', stimulusId, slot, workerId };
      case 'recycling':
        return { type: 'worker-recycling', stimulusId, slot, workerId, reason };
      case 'restart':
        return { type: 'restart-worker', stimulusId, workerId, reason };
      case 'release':
        return { type: 'release-worker', stimulusId, workerName: word, reason };
      case 'stop':
        return { type: 'stop', stimulusId, reason };
      case 'exited':
        return {
          type: 'worker-exited',
          stimulusId,
          slot,
          workerId,
          code: options['code'] === undefined ? null : Number(options['code']),
          signal: options['signal'] ?? null,
          stderrTail: '',
          didKernelRunOut: false,
        };
      default:
        throw new RangeError(`no command ${name}`);
    }
  }

  /** Time goes on, and the nanny wakes whenever it wants to. */
  #wait(untilMs: number): string[] {
    const lines: string[] = [];
    for (;;) {
      const wakeMs = this.#nanny.nextWakeMs ?? Infinity;
      if (wakeMs > untilMs) break;
      this.#nowMs = Math.max(this.#nowMs, wakeMs);
      lines.push(...this.#handle({ type: 'tick', stimulusId }).map((line) => `${this.#nowMs}: ${line}`));
    }
    this.#nowMs = untilMs;
    return lines;
  }

  #handle(event: NannyEvent): string[] {
    return this.#nanny.handle(event, this.#nowMs).flatMap((instruction) => {
      if (instruction.type !== 'sample-worker') return show(instruction);
      const { workerId } = instruction;
      const processBytes = this.#processBytes;
      return this.#handle({ type: 'worker-sampled', stimulusId, workerId, processBytes });
    });
  }
}

function optionsOf(options: Readonly<Record<string, string>>): Partial<NannyMachineOptions> {
  const { workers, ttl, quarantine } = options;
  return {
    ...(workers === undefined ? {} : { workerNames: workers.split(',') }),
    ...(quarantine === undefined
      ? {}
      : { quarantineReleaseMs: quarantine === 'kept' ? false : Number(quarantine) }),
    ...(ttl === undefined ? {} : { workerTtlMs: ttl === 'off' ? false : Number(ttl) }),
  };
}

function show(instruction: NannyInstruction): string[] {
  switch (instruction.type) {
    case 'spawn-worker':
      return [`spawn-worker ${instruction.workerId} as ${instruction.name}`];
    case 'ask-worker-to-close': {
      const leaves = instruction.leavesValues ? ', leaving its values' : '';
      return [`ask-worker-to-close ${instruction.workerId}${leaves}: ${instruction.reason}`];
    }
    case 'ask-worker-to-retire': {
      const { workerId, leavesAll, deadlineMs, reason } = instruction;
      return [
        `ask-worker-to-retire ${workerId}${leavesAll ? ', leaving all' : ''} within ${deadlineMs} ms: ${reason}`,
      ];
    }
    case 'kill-worker':
      return [`kill-worker ${instruction.workerId}`];
    case 'send-to-scheduler':
      return [`scheduler < ${showMessage(instruction.message)}`];
    case 'log-event':
      return [`log ${instruction.event}: ${instruction.message}`];
    case 'finished':
      return ['finished'];
    case 'sample-worker':
      return [];
    default:
      return assertNever(instruction, 'instruction');
  }
}

function showMessage(message: NannyToScheduler): string {
  switch (message.type) {
    case 'worker-spawned':
      return `worker-spawned ${message.workerId}`;
    case 'worker-exited': {
      const next =
        message.restartInMs === false ? 'no next one' : `the next one in ${message.restartInMs} ms`;
      return `worker-exited ${message.verdict.workerId}, ${next}, ${showVerdict(message.verdict)}`;
    }
    case 'worker-quarantined':
      return `worker-quarantined ${JSON.stringify(message.quarantine)}`;
    case 'worker-released':
      return `worker-released ${message.workerName}: ${message.reason}`;
    default:
      return message.type;
  }
}

const showVerdict = ({ cause, samples, limitBytes, terminateBytes }: Verdict): string =>
  `${JSON.stringify(cause)} samples=${samples.length} limit=${limitBytes} terminate=${terminateBytes}`;
