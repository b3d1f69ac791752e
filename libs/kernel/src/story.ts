import type { StimulusId, TaskKey } from './ids.js';

/** One move of one task, as kept for explanations. */
export interface StoryEntry {
  readonly key: TaskKey;
  readonly from: string;
  readonly to: string;
  readonly stimulusId: StimulusId;
  readonly atMs: number;
}

/**
 * The last moves of all tasks of a machine, oldest first, in a ring of fixed size: when it is full, the oldest entry
 * makes room. Any task can tell its story from it, and errors carry that story.
 */
export class Story {
  readonly #entries: StoryEntry[] = [];
  #nextIndex = 0;

  constructor(private readonly entriesMax: number) {}

  add(entry: StoryEntry): void {
    if (this.#entries.length < this.entriesMax) this.#entries.push(entry);
    else this.#entries[this.#nextIndex] = entry;
    this.#nextIndex = (this.#nextIndex + 1) % this.entriesMax;
  }

  /** The moves of one task that are still in the ring, oldest first. */
  of(key: TaskKey): StoryEntry[] {
    return this.all().filter((entry) => entry.key === key);
  }

  all(): StoryEntry[] {
    if (this.#entries.length < this.entriesMax) return [...this.#entries];
    return [...this.#entries.slice(this.#nextIndex), ...this.#entries.slice(0, this.#nextIndex)];
  }
}

export function formatStory(entries: readonly StoryEntry[]): string {
  return entries.map((e) => `${e.atMs} ${e.key}: ${e.from} > ${e.to} (${e.stimulusId})`).join('\n');
}
