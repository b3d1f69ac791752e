/** What the programs log, as a story for people: a line for each turn that memory takes, with its numbers. */

/** The turns of the story, in the order in which they come. */
export type Turn = 'spill' | 'pause' | 'terminate' | 'verdict' | 'restart' | 'adopt' | 'recompute' | 'back';

export interface Told {
  readonly turn: Turn;
  readonly text: string;
}

interface LogLine {
  readonly service?: string;
  readonly instance?: string;
  readonly event?: string;
  readonly msg?: string;
  readonly worker?: string;
  readonly count?: number;
  readonly startMs?: number;
}

/** Takes the output of all programs in the pieces it comes in, and tells what belongs to the story. */
export class StoryTeller {
  #rest = '';

  constructor(private readonly tell: (told: Told) => void) {}

  add(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const told = toldOf(line);
      if (told !== undefined) this.tell(told);
    }
  }
}

function toldOf(line: string): Told | undefined {
  if (!line.startsWith('{')) return undefined;
  const log = JSON.parse(line) as LogLine;
  const { event, msg = '', instance = '', service } = log;
  // The scheduler notes it too, without the numbers.
  if (event === 'worker.paused' && service !== 'worker') return undefined;
  switch (event) {
    case 'spill.started':
      return { turn: 'spill', text: `${instance} spills, ${msg}` };
    case 'worker.paused':
      return { turn: 'pause', text: `${instance} is ${msg}` };
    case 'worker.killed':
      return { turn: 'terminate', text: `the nanny: ${msg}` };
    case 'worker.exited':
      return { turn: 'verdict', text: `the verdict: ${msg}` };
    case 'worker.spawned':
      return { turn: 'restart', text: `a fresh process: ${msg}` };
    case 'worker.adopted':
      return { turn: 'adopt', text: `${instance} ${msg}` };
    case 'task.recomputed':
      return { turn: 'recompute', text: `the scheduler has ${log.count ?? 1} lost results computed again` };
    case 'worker.ready':
      // Workers say so too; the nanny has the time it took.
      return log.startMs === undefined ? undefined : { turn: 'back', text: msg };
    default:
      return undefined;
  }
}
