/** Log lines for people at a terminal: `12:00:00.000 WARN worker/w-1 message name=value`, an error's stack below. */

/** One parsed line of the log. */
type LogRecord = Readonly<Record<string, unknown>>;

const COLOR_CODES: Readonly<Record<string, number>> = { debug: 90, info: 32, warn: 33, error: 31 };

/** Takes JSON lines and hands readable ones to `output`. */
export function prettyDestination(
  output: { write(line: string): unknown },
  hasColors: boolean,
): { write(line: string): void } {
  return { write: (line) => void output.write(formatRecord(JSON.parse(line) as LogRecord, hasColors)) };
}

function formatRecord(record: LogRecord, hasColors: boolean): string {
  const { time, level, msg, service, instance, err, ...fields } = record;
  const code = COLOR_CODES[String(level)];
  const label = String(level).toUpperCase().padEnd(5);
  const shownLabel = hasColors && code !== undefined ? `\u001B[${code}m${label}\u001B[0m` : label;
  const shownFields = Object.entries(fields).map(([name, value]) => ` ${name}=${shown(value)}`);
  const head = `${String(time).slice(11, 23)} ${shownLabel} ${String(service)}/${String(instance)} ${String(msg)}`;
  return `${head}${shownFields.join('')}\n${formatError(err)}`;
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function formatError(err: unknown): string {
  if (err === undefined) return '';
  const stack = typeof err === 'object' && err !== null && 'stack' in err ? String(err.stack) : shown(err);
  return `${stack.replaceAll(/^/gm, '    ')}\n`;
}
