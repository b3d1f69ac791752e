/** What happened, line by line and in numbers. Lines are told as they come; `report.ts` makes the summary. */
import { clockText, type ActionKind } from './plan.js';

export interface Happening {
  readonly atMs: number;
  readonly text: string;
}

/** Something that must not be. */
export interface Finding {
  readonly kind:
    'wrong' | 'lost' | 'hung' | 'above-limit' | 'unexplained-death' | 'recomputed' | 'left-behind';
  readonly atMs: number;
  readonly text: string;
}

export class ChaosRecord {
  readonly happenings: Happening[] = [];
  readonly findings: Finding[] = [];
  readonly actions = new Map<ActionKind, number>();
  /** Deaths of workers by the cause in their nanny's verdict. */
  readonly deaths = new Map<string, number>();
  /** Of workers, by name: the most of all its lives, in bytes. */
  readonly peaks = new Map<string, number>();
  readonly graphs = new Map<string, number>();
  readonly bombs = new Map<string, number>();
  verifiedCount = 0;
  recomputedCount = 0;
  adoptedCount = 0;
  longestGraphMs = 0;
  longestStallMs = 0;
  #progressAtMs = 0;
  readonly #startedAt = performance.now();

  constructor(private readonly tell: (line: string) => void) {}

  nowMs(): number {
    return performance.now() - this.#startedAt;
  }

  say(text: string): void {
    const atMs = this.nowMs();
    this.happenings.push({ atMs, text });
    this.tell(`[${clockText(atMs)}] ${text}`);
  }

  find(kind: Finding['kind'], text: string): void {
    this.findings.push({ kind, atMs: this.nowMs(), text });
    this.say(`${kind.toUpperCase()}: ${text}`);
  }

  /** So many values came and were right. */
  verified(count: number): void {
    this.verifiedCount += count;
    const nowMs = this.nowMs();
    this.longestStallMs = Math.max(this.longestStallMs, nowMs - this.#progressAtMs);
    this.#progressAtMs = nowMs;
  }

  /** How long ago the last value came that was right, or the run began. */
  get quietMs(): number {
    return this.nowMs() - this.#progressAtMs;
  }

  /** The workload begins: nothing could come before. */
  begin(): void {
    this.#progressAtMs = this.nowMs();
  }

  count<K>(map: Map<K, number>, key: K, more = 1): void {
    map.set(key, (map.get(key) ?? 0) + more);
  }

  countOf(kind: Finding['kind']): number {
    return this.findings.filter((finding) => finding.kind === kind).length;
  }
}
