/** What can be wrong with a configuration, and how it is told: all of it at once, each with its origin. */
import { InvalidConfigError } from '@spillway/kernel';

export interface ConfigProblem {
  /** Setting (kebab-case path), or the name as written where there is no such setting. */
  readonly path: string;
  readonly value?: unknown;
  /** What is wrong, or what would have been right, as a phrase. */
  readonly expected: string;
  /** Where it stands: `file:line`, variable, flag, ... */
  readonly origin: string;
  /** The name that was probably meant, as its source spells it. */
  readonly suggestion?: string;
}

const VALUE_TEXT_LENGTH_MAX = 100;

function valueText(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  return (text ?? String(value)).slice(0, VALUE_TEXT_LENGTH_MAX);
}

function formatProblem(problem: ConfigProblem): string {
  const written = 'value' in problem ? ` = ${valueText(problem.value)}` : '';
  const hint = problem.suggestion === undefined ? '' : `; did you mean ${problem.suggestion}?`;
  return `${problem.path}${written} (${problem.origin}): ${problem.expected}${hint}`;
}

/** One error for all problems: a line for each in the message, and an entry for each in the details. */
export function invalidConfig(problems: readonly ConfigProblem[]): InvalidConfigError {
  const lines = problems.map(formatProblem);
  const count = problems.length === 1 ? 'One setting is' : `${problems.length} settings are`;
  const details = Object.fromEntries(problems.map((p, i) => [`${p.path} (${p.origin})`, lines[i] ?? '']));
  return new InvalidConfigError(
    `${count} wrong, so nothing was started. See docs/config.md.\n${lines.map((line) => `  ${line}`).join('\n')}`,
    { details },
  );
}
