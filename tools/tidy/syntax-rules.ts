/** Rules that need the syntax tree: how long functions are, and what files export. */
import ts from 'typescript';
import { isTypeScript, type Finding, type SourceFile } from './source-tree.js';

const FUNCTION_LINES_MAX = 60;

/** Their callbacks are lists of steps or of tests, read from top to bottom. */
const TEST_FUNCTIONS = new Set([
  'describe',
  'test',
  'it',
  'beforeEach',
  'beforeAll',
  'afterEach',
  'afterAll',
]);

const parsed = new Map<string, ts.SourceFile>();

/** The syntax tree of a file; trees are kept, since several rules want them. */
export function treeOf({ path, text }: SourceFile): ts.SourceFile {
  const known = parsed.get(path);
  if (known?.text === text) return known;
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  parsed.set(path, tree);
  return tree;
}

export const tooLongFunctions = (files: readonly SourceFile[]): Finding[] =>
  files.filter(isTypeScript).flatMap((file) => {
    const tree = treeOf(file);
    const findings: Finding[] = [];
    const visit = (node: ts.Node): void => {
      if (isFunction(node) && !isTestCallback(node)) {
        const first = tree.getLineAndCharacterOfPosition(node.getStart()).line;
        const lineCount = tree.getLineAndCharacterOfPosition(node.end).line - first + 1;
        if (lineCount > FUNCTION_LINES_MAX) {
          findings.push(`${file.path}:${first + 1} ${nameOf(node)} has ${lineCount} lines`);
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(tree);
    return findings;
  });

const isFunction = (node: ts.Node): node is ts.FunctionLikeDeclaration =>
  ts.isFunctionLike(node) && 'body' in node && node.body !== undefined;

/** `test('…', () => …)`, `test.each(…)('…', () => …)`, `describe.each…` */
function isTestCallback(node: ts.Node): boolean {
  if (!ts.isCallExpression(node.parent)) return false;
  let called: ts.Expression = node.parent.expression;
  while (!ts.isIdentifier(called)) {
    if (ts.isCallExpression(called) || ts.isPropertyAccessExpression(called)) called = called.expression;
    else if (ts.isTaggedTemplateExpression(called)) called = called.tag;
    else return false;
  }
  return TEST_FUNCTIONS.has(called.text);
}

function nameOf(node: ts.FunctionLikeDeclaration): string {
  if (node.name !== undefined) return node.name.getText();
  return ts.isVariableDeclaration(node.parent) ? node.parent.name.getText() : 'a function';
}

/** Named exports only, so that a thing has one name everywhere. */
export const defaultExports = (files: readonly SourceFile[]): Finding[] =>
  files
    .filter((file) => isTypeScript(file) && !file.path.endsWith('.d.ts'))
    .flatMap((file) =>
      treeOf(file)
        .statements.filter(isDefaultExport)
        .map(() => `${file.path} has a default export`),
    );

function isDefaultExport(statement: ts.Statement): boolean {
  if (ts.isExportAssignment(statement)) return true;
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword) ?? false;
}

/** Libraries of plain words: every file of theirs is part of the door. */
const OPEN_LIBRARIES = /^libs\/(?:kernel|messages|ports)\//;

/** The entry file of a library says by name what it offers; a machine's types of events and instructions go together. */
export const unnamedExports = (files: readonly SourceFile[]): Finding[] =>
  files
    .filter(({ path }) => /\/src\/index\.ts$/.test(path) && !OPEN_LIBRARIES.test(path))
    .flatMap((file) =>
      treeOf(file)
        .statements.filter((statement) => isUnnamed(statement))
        .map((statement) => `${file.path} does not name what it exports: ${statement.getText()}`),
    );

const isUnnamed = (statement: ts.Statement): boolean =>
  ts.isExportDeclaration(statement) && statement.exportClause === undefined && !statement.isTypeOnly;
