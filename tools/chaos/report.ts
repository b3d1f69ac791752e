/** The summary, for people and for programs. */
import { aboutBytes } from '@spillway/kernel';
import type { ChaosRecord, Finding } from './record.js';

const FINDING_KINDS = [
  'wrong',
  'lost',
  'hung',
  'above-limit',
  'unexplained-death',
  'recomputed',
  'left-behind',
] as const satisfies readonly Finding['kind'][];

export interface Summary {
  readonly seed: number;
  readonly minutes: number;
  readonly actions: Readonly<Record<string, number>>;
  readonly graphs: Readonly<Record<string, number>>;
  readonly verifiedValues: number;
  readonly findings: Readonly<Record<Finding['kind'], number>>;
  readonly recomputedTasks: number;
  readonly adoptedValues: number;
  readonly deaths: Readonly<Record<string, number>>;
  readonly bombs: Readonly<Record<string, number>>;
  readonly longestGraphMs: number;
  readonly longestStallMs: number;
  readonly peakBytes: Readonly<Record<string, number>>;
  readonly limitBytes: number;
  readonly passed: boolean;
}

export function summaryOf(
  record: ChaosRecord,
  { seed, minutes, limitBytes }: { seed: number; minutes: number; limitBytes: number },
): Summary {
  const findings = Object.fromEntries(FINDING_KINDS.map((kind) => [kind, record.countOf(kind)]));
  return {
    seed,
    minutes,
    actions: Object.fromEntries(record.actions),
    graphs: Object.fromEntries(record.graphs),
    verifiedValues: record.verifiedCount,
    findings: findings as Record<Finding['kind'], number>,
    recomputedTasks: record.recomputedCount,
    adoptedValues: record.adoptedCount,
    deaths: Object.fromEntries(record.deaths),
    bombs: Object.fromEntries(record.bombs),
    longestGraphMs: Math.round(record.longestGraphMs),
    longestStallMs: Math.round(record.longestStallMs),
    peakBytes: Object.fromEntries([...record.peaks].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    limitBytes,
    passed: record.findings.length === 0,
  };
}

const counts = (of: Readonly<Record<string, number>>): string => {
  const entries = Object.entries(of);
  const total = entries.reduce((sum, [, count]) => sum + count, 0);
  return entries.length === 0 ? '0' : `${total} (${entries.map(([name, n]) => `${name} ${n}`).join(', ')})`;
};

export function renderSummary(summary: Summary): string {
  const { findings } = summary;
  const peaks = Object.entries(summary.peakBytes).map(([name, bytes]) => `${name} ${aboutBytes(bytes)}`);
  const lines: readonly (readonly [string, string])[] = [
    ['actions', counts(summary.actions)],
    ['graphs', counts(summary.graphs)],
    ['values verified', `${summary.verifiedValues}`],
    ['wrong', `${findings.wrong}`],
    ['lost', `${findings.lost}`],
    ['hung', `${findings.hung}`],
    ['recomputed', `${summary.recomputedTasks} tasks, more often than explained ${findings.recomputed}`],
    ['adopted', `${summary.adoptedValues}`],
    ['deaths', `${counts(summary.deaths)}, and those with their nannies`],
    ['unexplained deaths', `${findings['unexplained-death']}`],
    ['bombs', counts(summary.bombs)],
    ['longest stall', `${(summary.longestStallMs / 1000).toFixed(1)} s`],
    ['longest graph', `${(summary.longestGraphMs / 1000).toFixed(1)} s`],
    ['peak memory', `${peaks.join(', ')}; limit ${aboutBytes(summary.limitBytes)}`],
    ['above limit', `${findings['above-limit']}`],
    ['left behind', `${findings['left-behind']}`],
  ];
  const table = lines.map(([name, text]) => `  ${name.padEnd(20)} ${text}`);
  return `${table.join('\n')}\n${summary.passed ? 'Passed.' : 'FAILED.'} Again: npm run chaos -- --minutes ${summary.minutes} --seed ${summary.seed}\n`;
}
