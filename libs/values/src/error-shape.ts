/**
 * Errors on the wire. Structured clone keeps message, stack and cause, and drops all else; this keeps every own
 * property, `code`, `errors` and the name. An error class of the user comes back as the built-in class it extends.
 */

/** Order matters: the position is the number on the wire. Append only. */
const ERROR_TYPES = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
] as const;
const NUMBER_OF = new Map<string, number>(ERROR_TYPES.map((type, index) => [type.name, index]));

/** Properties that are not enumerable on a built-in error, so that the copy prints and compares like the original. */
const HIDDEN = ['message', 'name', 'cause', 'errors', 'code'] as const;

/** An error's properties, each as `name, value`. */
export interface ErrorFields {
  readonly hidden: readonly unknown[];
  readonly shown: readonly unknown[];
}

/** The wire number of the nearest built-in class. By name, so that errors of another realm count too. */
export function errorTypeOf(error: object): number {
  for (let at = prototypeOf(error); at !== null; at = prototypeOf(at)) {
    const type = NUMBER_OF.get((at.constructor as { name?: string } | undefined)?.name ?? '');
    if (type !== undefined) return type;
  }
  return 0;
}

const prototypeOf = (value: object): object | null => Object.getPrototypeOf(value) as object | null;

export function fieldsOf(error: Readonly<Record<string, unknown>>): ErrorFields {
  const hidden: unknown[] = [];
  const shown: unknown[] = [];
  const enumerable = new Set(Object.keys(error));
  enumerable.delete('stack');
  if (typeof error['stack'] === 'string') hidden.push('stack', error['stack']);
  for (const key of HIDDEN) {
    if (!enumerable.has(key) && isWorthKeeping(error, key)) hidden.push(key, error[key]);
  }
  for (const key of enumerable) shown.push(key, error[key]);
  return { hidden, shown };
}

function isWorthKeeping(error: Readonly<Record<string, unknown>>, key: (typeof HIDDEN)[number]): boolean {
  if (Object.hasOwn(error, key)) return true;
  // Inherited ones may come from a getter or the user's class (DOMException has all of its there).
  if (key === 'name') return error[key] !== ERROR_TYPES[errorTypeOf(error)]!.prototype.name;
  return (key === 'message' || key === 'code') && error[key] !== undefined && error[key] !== '';
}

/** An error of a wire number, to be filled in by `fillError`; undefined for an unknown number. */
export function makeErrorShell(type: number): Error | undefined {
  const errorType = ERROR_TYPES[type];
  if (errorType === undefined) return undefined;
  const { stackTraceLimit } = Error;
  // The stack of this place is what makes an error dear, and it is replaced by the original's.
  Error.stackTraceLimit = 0;
  try {
    return errorType === AggregateError ? new AggregateError([]) : new (errorType as ErrorConstructor)();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

export function fillError(error: object, fields: ErrorFields): void {
  define(error, fields.hidden, false);
  define(error, fields.shown, true);
}

function define(error: object, fields: readonly unknown[], enumerable: boolean): void {
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const value = fields[index + 1];
    Object.defineProperty(error, String(fields[index]), {
      value,
      enumerable,
      writable: true,
      configurable: true,
    });
  }
}
