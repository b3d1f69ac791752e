/** Reads the text of a function and makes a module of it, or says why it cannot travel on its own. */
import { parse, type AnyNode, type Expression } from 'acorn';
import { FunctionCapturesError, InvalidArgumentError } from '@spillway/kernel';
import { freeVariablesOf } from './free-variables.js';
import { NODE_GLOBALS } from './node-globals.js';

interface ReadFunction {
  readonly node: Parameters<typeof freeVariablesOf>[0];
  readonly isStrict: boolean;
  /** An expression whose value is the function. */
  readonly expression: string;
}

/** Left in functions by tools that had them in hands; what they refer to is of no use on a worker and is stood in for. */
const TOOL_NAMES = [
  // esbuild and tsx with `keepNames`: gives a function its name.
  {
    pattern: /^__name$/,
    definition: (name: string) =>
      `const ${name} = (target, value) => Object.defineProperty(target, 'name', { value, configurable: true });`,
  },
  // istanbul, with which jest measures coverage: counts statements, functions and branches.
  {
    pattern: /^cov_[a-z0-9]+$/,
    definition: (name: string) =>
      `const ${name} = Object.assign(() => ${name}, { s: {}, f: {}, b: new Proxy({}, { get: () => ({}) }) });`,
  },
] as const;

/**
 * The text of a CommonJS module that exports the function under `exportName`. Throws `FunctionCapturesError` that
 * names every variable from outside, and `InvalidArgumentError` for a function without a text of its own.
 */
export function moduleTextOf(source: string, exportName: string): string {
  const read = readFunction(source, exportName);
  const free = freeVariablesOf(read.node, read.isStrict).filter((name) => !NODE_GLOBALS.has(name));
  const captured = free.filter((name) => !TOOL_NAMES.some(({ pattern }) => pattern.test(name)));
  if (captured.length > 0) throw captures(exportName, captured);
  const definitions = free.map((name) =>
    TOOL_NAMES.find(({ pattern }) => pattern.test(name))!.definition(name),
  );
  return [
    ...(read.isStrict ? ['"use strict";'] : []),
    ...definitions,
    `module.exports[${JSON.stringify(exportName)}] = ${read.expression};`,
    '',
  ].join('\n');
}

function readFunction(source: string, name: string): ReadFunction {
  for (const isStrict of [true, false]) {
    const read = readAsExpression(source, isStrict) ?? readAsMethod(source, isStrict);
    if (read !== undefined) return read;
  }
  throw new InvalidArgumentError(
    `The function ${name} has no text that can be sent to a worker: it is native, bound, a class, an accessor, or ` +
      `uses a private member. Submit a plain function, or put it in a module and use client.load().`,
  );
}

function readAsExpression(source: string, isStrict: boolean): ReadFunction | undefined {
  // The line break ends a comment that the text may end with.
  const text = `(${source}\n)`;
  const node = parseExpression(text, isStrict);
  if (node?.type !== 'FunctionExpression' && node?.type !== 'ArrowFunctionExpression') return undefined;
  return { node, isStrict, expression: text };
}

/** `total(a, b) { … }`: the text of a method is one only inside of an object. */
function readAsMethod(source: string, isStrict: boolean): ReadFunction | undefined {
  const text = `({ ${source}\n})`;
  const node = parseExpression(text, isStrict);
  const property =
    node?.type === 'ObjectExpression' && node.properties.length === 1 ? node.properties[0] : undefined;
  if (property?.type !== 'Property' || !property.method || property.computed) return undefined;
  if (property.value.type !== 'FunctionExpression') return undefined;
  return { node: property.value, isStrict, expression: `Object.values(${text})[0]` };
}

function parseExpression(text: string, isStrict: boolean): Expression | undefined {
  try {
    const program = parse(text, {
      ecmaVersion: 'latest',
      sourceType: isStrict ? 'module' : 'script',
      allowSuperOutsideMethod: true,
      allowHashBang: false,
    });
    const [statement, ...rest] = program.body as AnyNode[];
    return statement?.type === 'ExpressionStatement' && rest.length === 0 ? statement.expression : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function captures(name: string, variables: readonly string[]): FunctionCapturesError {
  const list = variables.map((variable) => `"${variable}"`).join(', ');
  return new FunctionCapturesError(
    `The inline function ${name} uses ${list} from outside itself, which cannot travel to a worker. ` +
      `Pass ${variables.length === 1 ? 'it as an argument' : 'them as arguments'}, ` +
      `or put the function in a module and use client.load().`,
    { details: { function: name, variables: variables.join(', ') } },
  );
}
