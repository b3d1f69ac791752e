/** A configuration file as a source: its values, and the line of each. */
import { isMap, isScalar, LineCounter, parseDocument, type Node } from 'yaml';
import type { ConfigProblem } from './problems.js';
import type { ConfigSource } from './source.js';

/** Reads YAML 1.2. What is not YAML, or not a map, becomes a problem of the source, with its line. */
export function yamlSource(file: string, text: string): ConfigSource {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const at = (offset: number): string => `${file}:${lineCounter.linePos(offset).line}`;
  const problems: ConfigProblem[] = document.errors.map((error) => ({
    path: file,
    expected: `not valid YAML: ${error.message}`,
    origin: at(error.pos[0]),
  }));
  const root: Node | null = document.contents;
  if (problems.length === 0 && root !== null && !isMap(root) && !(isScalar(root) && root.value === null)) {
    problems.push({
      path: file,
      expected: 'expected a map of settings at the top',
      origin: at(root.range?.[0] ?? 0),
    });
  }
  if (problems.length > 0 || !isMap(root)) return { origin: file, values: {}, problems };
  const lines = new Map<string, string>();
  collectLines(root, '', (path, offset) => lines.set(path, at(offset)));
  try {
    const values = document.toJS() as Record<string, unknown>;
    return { origin: file, values, originOf: (path) => lines.get(path) };
  } catch (error) {
    // An alias to nothing, or aliases that multiply into more than yaml unfolds.
    return {
      origin: file,
      values: {},
      problems: [{ path: file, expected: `not readable: ${String(error)}`, origin: file }],
    };
  }
}

function collectLines(node: unknown, prefix: string, found: (path: string, offset: number) => void): void {
  if (!isMap(node)) return;
  for (const { key, value } of node.items) {
    if (!isScalar(key)) continue;
    const path = `${prefix}${String(key.value)}`;
    found(path, key.range?.[0] ?? 0);
    collectLines(value, `${path}.`, found);
  }
}
