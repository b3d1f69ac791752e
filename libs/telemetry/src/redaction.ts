/**
 * Keeps secrets out of the log: by the name of a field, at any depth, and by the look of a text. What it cannot know is a
 * secret under an innocent name in the middle of a sentence.
 */

const SECRET_NAME = /token|passw(?:or)?d|secret|authorization|cookie|credential|private[-_]?key|api[-_]?key/i;
/** Settings and fields whose values are other people's environment. */
const SECRET_MAPS = new Set(['environ', 'env']);
const REDACTED = '[redacted]';
/** Deeper than this nothing is looked at, and nothing written. */
const DEPTH_MAX = 8;

const TEXT_PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${REDACTED}`],
  [/((?:token|password|secret)\s*[=:]\s*)[^\s&"',;]+/gi, `$1${REDACTED}`],
  [/(:\/\/[^\s:/@]+:)[^\s@/]+@/g, `$1${REDACTED}@`],
];

/** The text without what looks like a credential in it. */
export function redactText(text: string): string {
  return TEXT_PATTERNS.reduce(
    (current, [pattern, replacement]) => current.replace(pattern, replacement),
    text,
  );
}

/** A copy of plain data without secrets. Anything else than plain objects, arrays and text is left as it is. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_MAX) return '[too deep]';
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  if (value instanceof Date || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, redactField(name, child, depth + 1)]),
  );
}

function redactField(name: string, value: unknown, depth: number): unknown {
  if (SECRET_NAME.test(name) && value !== undefined && value !== null) return REDACTED;
  if (SECRET_MAPS.has(name) && typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.keys(value).map((variable) => [variable, REDACTED]));
  }
  return redact(value, depth);
}
