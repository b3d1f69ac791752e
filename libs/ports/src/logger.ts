/** Structured facts of a log line. `event`: the stable name of a state change, listed in docs/operations.md (L03). */
export type LogFields = Readonly<Record<string, unknown>> & {
  readonly event?: string;
  readonly err?: unknown;
};

export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(fields: LogFields): Logger;
}
