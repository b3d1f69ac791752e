/** The files that the rules look at: what git knows or would take, without what is generated. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

export interface SourceFile {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** Somebody stepping on a rule, for people: `file:line what`. */
export type Finding = string;

const GENERATED = /(?:^|\/)(?:gen|generated|dist|out-tsc|bundle|node_modules)\//;
const TEXT = /\.(?:ts|tsx|mjs|cjs|js|json|proto|md|ya?ml|txt|css|html|sh)$|(?:^|\/)(?:Dockerfile|run)$/;

/** All text files of the project. */
export function readTree(): readonly SourceFile[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const paths = execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 }).split('\0');
  return [...new Set(paths)]
    .filter((path) => TEXT.test(path) && !GENERATED.test(path) && existsSync(join(ROOT, path)))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
}

export const isTypeScript = ({ path }: SourceFile): boolean => /\.tsx?$/.test(path);
export const isSpec = ({ path }: SourceFile): boolean =>
  /\.(?:spec|sim|contract)\.tsx?$|\.spec-d\.ts$/.test(path);

/** A finding for each line that matches. */
export function linesMatching(file: SourceFile, pattern: RegExp, what: string): Finding[] {
  return file.text.split('\n').flatMap((line, index) => {
    return pattern.test(line) ? [`${file.path}:${index + 1} ${what}: ${line.trim().slice(0, 100)}`] : [];
  });
}
