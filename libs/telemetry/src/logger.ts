/**
 * The `Logger` port over pino (conventions 3.3): one JSON line each, with `time` (ISO), `level`, `msg`, `service` and
 * `instance`; errors under `err`; secrets redacted. Lines are written before the call returns, so that the last one
 * before an exit is not lost.
 */
import type { LogFields, Logger } from '@spillway/ports';
import pino from 'pino';
import { prettyDestination } from './pretty-destination.js';
import { redact, redactText } from './redaction.js';

/** From the most to the least talkative; `silent` writes nothing. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Where lines go. `write` gets a whole line with its end, and must have taken it when it returns. */
export interface LogDestination {
  write(line: string): void;
}

export interface LoggerOptions {
  /** Which program: `scheduler`, `nanny`, `worker`, `client`. */
  readonly service: string;
  /** Which one of them: its id or name. */
  readonly instance: string;
  readonly level: LogLevel;
  /** Default `stdout`. A command whose output is its result logs to `stderr`. */
  readonly destination?: 'stdout' | 'stderr' | LogDestination;
  /** Lines for people instead of JSON; `auto` (the default) where the destination is a terminal. */
  readonly pretty?: boolean | 'auto';
}

/** The names that every line has already: a field of that name is kept under another, for JSON has no two of a name. */
const RESERVED_NAMES = new Set(['time', 'level', 'msg', 'service', 'instance']);

export function createLogger(options: LoggerOptions): Logger {
  const root = pino(
    {
      level: options.level,
      base: { service: options.service, instance: options.instance },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Errors are turned into data by `written`, before they are redacted.
      serializers: { err: (data: unknown) => data },
    },
    destinationOf(options),
  );
  return adapt(root);
}

function adapt(target: pino.Logger): Logger {
  const writeAt =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: LogFields, message: string): void => {
      if (target.isLevelEnabled(level)) target[level](written(fields), redactText(message));
    };
  return {
    debug: writeAt('debug'),
    info: writeAt('info'),
    warn: writeAt('warn'),
    error: writeAt('error'),
    child: (fields) => adapt(target.child(written(fields))),
  };
}

function written(fields: LogFields): Record<string, unknown> {
  const data: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    data[RESERVED_NAMES.has(name) ? `_${name}` : name] =
      value instanceof Error ? pino.stdSerializers.errWithCause(value) : value;
  }
  return redact(data) as Record<string, unknown>;
}

function destinationOf({ destination = 'stdout', pretty = 'auto' }: LoggerOptions): pino.DestinationStream {
  if (typeof destination === 'object')
    return pretty === true ? prettyDestination(destination, false) : destination;
  const stream = destination === 'stdout' ? process.stdout : process.stderr;
  const output = pino.destination({ dest: stream.fd, sync: true });
  // Whoever read the log is gone (EPIPE): a program does not end for that.
  output.on('error', () => undefined);
  const isPretty = pretty === 'auto' ? stream.isTTY : pretty;
  return isPretty ? prettyDestination(output, stream.isTTY && stream.hasColors()) : output;
}
