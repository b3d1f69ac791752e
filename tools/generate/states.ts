/**
 * The diagrams in the hand-written pages about task states, made from the machines' own tables of moves. Everything
 * between the two marker comments of such a page is generated; the rest is prose, of which only this is checked: every
 * state of the table has its section.
 */
import { transitionPairs as schedulerPairs } from '@spillway/scheduler-machine';
import { transitionPairs as workerPairs } from '@spillway/worker-machine';

export interface StatesPage {
  /** From the root of the repository. */
  readonly path: string;
  /** For the marker: where the table is. */
  readonly source: string;
  /** Moves, as `from>to`. */
  readonly pairs: readonly string[];
  /** State of a record just made. */
  readonly first: string;
  /** State in which a record is dropped from the table. */
  readonly last: string;
}

export const STATES_PAGES: readonly StatesPage[] = [
  {
    path: 'docs/scheduler-states.md',
    source: 'libs/scheduler/machine/src/transitions/index.ts',
    pairs: schedulerPairs(),
    first: 'released',
    last: 'forgotten',
  },
  {
    path: 'docs/worker-states.md',
    source: 'libs/worker/machine/src/transitions/index.ts',
    pairs: workerPairs(),
    first: 'released',
    last: 'released',
  },
];

const BEGIN = '<!-- diagram: begin';
const END = '<!-- diagram: end -->';

/** The page with the diagram of today. Throws when it lacks the markers, or the section of a state. */
export function withDiagram(markdown: string, page: StatesPage): string {
  const beginAt = markdown.indexOf(BEGIN);
  const endAt = markdown.indexOf(END);
  if (beginAt < 0 || endAt < beginAt) {
    throw new Error(`${page.path} needs a line "${BEGIN} -->" and, below it, a line "${END}"`);
  }
  for (const state of statesOf(page.pairs)) {
    if (!markdown.includes(`\n### ${state}\n`)) throw new Error(`${page.path} has no section "### ${state}"`);
  }
  const block = [
    `${BEGIN}, generated from ${page.source} by \`npm run generate\` -->`,
    ['```mermaid', diagramOf(page), '```'].join('\n'),
    END,
  ].join('\n\n');
  return markdown.slice(0, beginAt) + block + markdown.slice(endAt + END.length);
}

function diagramOf({ pairs, first, last }: StatesPage): string {
  const moves = pairs.map(splitPair);
  return [
    'stateDiagram-v2',
    ...statesOf(pairs).flatMap((state) =>
      state === nodeOf(state) ? [] : [`  state "${state}" as ${nodeOf(state)}`],
    ),
    `  [*] --> ${nodeOf(first)}`,
    ...moves.map(([from, to]) => `  ${nodeOf(from)} --> ${nodeOf(to)}`),
    `  ${nodeOf(last)} --> [*]`,
  ].join('\n');
}

/** Every state that a move leaves or enters, in the order of the table. */
const statesOf = (pairs: readonly string[]): string[] => [...new Set(pairs.flatMap(splitPair))];

/** Mermaid's names of states have no hyphens. */
const nodeOf = (state: string): string => state.replaceAll('-', '_');

function splitPair(pair: string): [from: string, to: string] {
  const [from, to, ...rest] = pair.split('>');
  if (from === undefined || to === undefined || rest.length > 0)
    throw new Error(`"${pair}" is no pair of states`);
  return [from, to];
}
