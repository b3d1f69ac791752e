/** What is said about a worker's memory in its log, with the numbers that led to it (conventions L04). */
import { aboutBytes, type TaskKey } from '@spillway/kernel';
import type { SpillFailureReason } from '@spillway/messages';
import type { LogFields, Logger } from '@spillway/ports';
import type { MemoryInstruction, MemoryLogEvent, MemoryNumbers } from '@spillway/worker-memory';

type LogEvent = Extract<MemoryInstruction, { type: 'log-event' }>;
type WarnUnmanaged = Extract<MemoryInstruction, { type: 'warn-unmanaged' }>;

export interface MemoryLogOptions {
  readonly logger: Logger;
  /** What executes at this moment. */
  readonly running: () => readonly TaskKey[];
  /** What it means that the disk takes no values, and what to do. */
  readonly explainRefusal: (reason: SpillFailureReason) => string;
}

const KEYS_MAX = 10;
const PAGE = 'docs/memory-management.md';

const WHAT: Readonly<Record<MemoryLogEvent, string>> = {
  'spill.started': 'writing values to disk',
  'spill.ended': 'no more values have to be written to disk',
  'spill.refused': 'the disk takes no values',
  'spill.accepted': 'the disk takes values again',
  'memory.reclaimed': 'memory that was held for nobody was given back',
  'worker.paused': 'paused: no task starts and nothing is fetched until memory is freed',
  'worker.resumed': 'running again',
  'worker.recycling': 'asking for a fresh process in place of this one',
};

const WHY_UNMANAGED: Readonly<Record<WarnUnmanaged['why'], string>> = {
  unmanaged:
    'most of it is not managed by this worker: memory of tasks that run, a leak, or memory not given back',
  'in-use': 'what is managed is in use by tasks that run',
  disk: 'what is managed cannot be written to disk',
};

export class MemoryLog {
  constructor(private readonly options: MemoryLogOptions) {}

  event({ event, level, numbers, detail, stimulusId }: LogEvent): void {
    const reason = event === 'spill.refused' ? (detail as SpillFailureReason) : undefined;
    const said = reason === undefined ? detail : this.options.explainRefusal(reason);
    const text = said === undefined ? WHAT[event] : `${WHAT[event]}: ${said}`;
    const fields = {
      event,
      stimulusId,
      ...this.#fields(numbers),
      ...(detail === undefined ? {} : { detail }),
    };
    this.options.logger[level](fields, `${text} (${summary(numbers)})`);
  }

  unmanaged({ why, numbers, stimulusId }: WarnUnmanaged): void {
    const { logger } = this.options;
    const text = `process memory is high and nothing is left to spill: ${WHY_UNMANAGED[why]}`;
    logger.warn(
      { event: 'memory.unmanaged', why, stimulusId, ...this.#fields(numbers) },
      `${text} (${summary(numbers)}). See ${PAGE}, "Memory not released".`,
    );
  }

  #fields(numbers: MemoryNumbers): LogFields {
    return { ...numbers, running: this.options.running().slice(0, KEYS_MAX) };
  }
}

function summary(numbers: MemoryNumbers): string {
  const { processBytes, limitBytes, fraction, threshold, thresholdBytes } = numbers;
  const share = fraction === undefined ? '' : `, ${Math.round(fraction * 100)} %`;
  const limit = limitBytes === false ? '' : ` of ${aboutBytes(limitBytes)}${share}`;
  const line = thresholdBytes === undefined ? '' : `; ${threshold} is ${aboutBytes(thresholdBytes)}`;
  const unmanagedBytes = numbers.unmanagedOldBytes + numbers.unmanagedRecentBytes;
  return (
    `process ${aboutBytes(processBytes)}${limit}${line}; managed ${aboutBytes(numbers.countedBytes)}, ` +
    `unmanaged ${aboutBytes(unmanagedBytes)}, of that hoarded ${aboutBytes(numbers.hoardedBytes)}; ` +
    `spilled ${aboutBytes(numbers.spilledBytes)}`
  );
}
