/**
 * What the compiler has to accept and to refuse (conventions J04). Compiled with the specs and never run: each line
 * marked `@ts-expect-error` fails the build when it compiles.
 */
import type { Client } from './client.js';
import type { Future } from './future.js';
import { preinstalled } from './remote-function.js';
import { repeat } from './repeat.js';
import type { Deep, Handles } from './task-function.js';

interface Part {
  readonly rows: readonly number[];
  readonly name?: string;
}
interface Tree {
  readonly value: number;
  readonly children: readonly Tree[];
}
interface TasksModule {
  readonly readPart: (index: number, name?: string) => Promise<Part>;
  readonly merge: (parts: Part[], options?: { readonly top: number; readonly by: 'size' | 'name' }) => number;
  readonly walk: (tree: Tree) => number;
  readonly rest: (first: string, ...others: number[]) => string;
  readonly lookUp: (table: Map<string, Part>, wanted: Set<number>) => Part | undefined;
  readonly either: (value: string | number) => boolean;
  readonly sum: (values: Float64Array) => number;
  readonly identity: <T>(value: T) => T;
  readonly loose: (value: unknown) => void;
  readonly VERSION: string;
}

declare const client: Client;
declare const tasks: Handles<TasksModule>;
declare const future: <T>() => Future<T>;
type Is<Actual, Expected> = [Actual] extends [Expected]
  ? [Expected] extends [Actual]
    ? true
    : false
  : false;
declare function expectType<Expected>(): <Actual>(actual: Actual, is: Is<Actual, Expected>) => void;

export async function results(): Promise<void> {
  expectType<Future<Part>>()(client.submit(tasks.readPart, 1), true);
  expectType<Future<number>>()(client.submit(tasks.merge, []), true);
  expectType<Part>()(await client.submit(tasks.readPart, 1).result(), true);
  expectType<Future<Part>[]>()(client.map(tasks.readPart, [1, 2]), true);
  expectType<Future<number>>()(
    client.submit((a: number, b: number) => a + b, 1, 2),
    true,
  );
  expectType<Future<string>>()(client.with({ retries: 1 }).submit(tasks.rest, 'a', 1, 2), true);
  expectType<Map<string, boolean>>()(await client.run(tasks.either, ['a']), true);
  expectType<Future<{ a: number }>>()(await client.scatter({ a: 1 }), true);
  expectType<Future<string>[]>()(await client.scatterAll(['a', 'b']), true);
}

export function rightArguments(): void {
  client.submit(tasks.readPart, 1);
  client.submit(tasks.readPart, future<number>(), 'name');
  client.submit(tasks.merge, future<Part[]>());
  client.submit(tasks.merge, [future<Part>(), { rows: [1, future<number>()] }, { rows: future<number[]>() }]);
  client.submit(tasks.merge, [], { top: future<number>(), by: 'size' });
  client.submit(tasks.merge, client.map(tasks.readPart, [1, 2, 3]));
  client.submit(tasks.walk, {
    value: 1,
    children: [future<Tree>(), { value: future<number>(), children: [] }],
  });
  client.submit(tasks.rest, 'a', 1, future<number>());
  client.submit(tasks.lookUp, new Map([['a', future<Part>()]]), new Set([1]));
  client.submit(tasks.either, future<string | number>());
  client.submit(tasks.either, future<string>());
  client.submit(tasks.sum, new Float64Array(3));
  client.submit(tasks.loose, { anything: future<Part>() });
  client.submit(tasks.identity, future<Part>());
  client.map(tasks.readPart, [1, future<number>()], ['a', 'b']);
  client.map(tasks.merge, [[future<Part>()]], repeat({ top: 3, by: 'name' as const }));
  client.submit(preinstalled<(text: string) => number>('text', 'length'), 'abc');
  const deep: Deep<Part[]> = [future<Part>()];
  client.submit(tasks.merge, deep);
}

export function wrongArguments(): void {
  // @ts-expect-error: a string is no number
  client.submit(tasks.readPart, '1');
  // @ts-expect-error: an argument is missing
  client.submit(tasks.readPart);
  // @ts-expect-error: one argument too many
  client.submit(tasks.readPart, 1, 'name', true);
  // @ts-expect-error: a future of the wrong type
  client.submit(tasks.readPart, future<string>());
  // @ts-expect-error: a future of the wrong type, deep inside
  client.submit(tasks.merge, [{ rows: [future<string>()] }]);
  // @ts-expect-error: a future of one part is no list of parts
  client.submit(tasks.merge, future<Part>());
  // @ts-expect-error: not one of the allowed words
  client.submit(tasks.merge, [], { top: 1, by: 'colour' });
  // @ts-expect-error: not a function of the module
  client.submit(tasks.readParts, 1);
  // @ts-expect-error: VERSION is no function
  client.submit(tasks.VERSION);
  // @ts-expect-error: values of a map have to be parts
  client.submit(tasks.lookUp, new Map([['a', future<number>()]]), new Set([1]));
  // @ts-expect-error: rest parameters are checked too
  client.submit(tasks.rest, 'a', 'b');
  // @ts-expect-error: the inline function takes numbers
  client.submit((a: number) => a, 'b');
  // @ts-expect-error: map takes the values of many calls
  client.map(tasks.readPart, 1);
  // @ts-expect-error: values of a wrong type
  client.map(tasks.readPart, ['a']);
  // @ts-expect-error: only functions and handles can be submitted
  client.submit('readPart', 1);
  // @ts-expect-error: preinstalled functions are typed as well
  client.submit(preinstalled<(text: string) => number>('text', 'length'), 1);
  // @ts-expect-error: an unknown option
  client.with({ retry: 3 });
}

export async function gathering(): Promise<void> {
  expectType<Part[]>()(await client.gather([future<Part>()]), true);
  expectType<Part>()(await client.gather(future<Part>()), true);
  expectType<{ a: Part; b: { c: number[] } }>()(
    await client.gather({ a: future<Part>(), b: { c: [future<number>()] } }),
    true,
  );
  expectType<Map<string, Part>>()(await client.gather(new Map([['a', future<Part>()]])), true);
  for await (const part of client.gather([future<Part>()], { as: 'iterator' }))
    expectType<Part>()(part, true);
  for await (const done of client.asCompleted([future<Part>()])) expectType<Future<Part>>()(done, true);
  const { done, notDone } = await client.wait([future<Part>()], { until: 'first', timeout: '5s' });
  expectType<readonly Future<Part>[]>()(done, true);
  expectType<readonly Future<Part>[]>()(notDone, true);
}

export function futures(): void {
  // @ts-expect-error: a future is no promise, so that passing it on does not wait for it
  const promise: PromiseLike<Part> = future<Part>();
  const wider: Future<string | number> = future<string>();
  // @ts-expect-error: and not the other way round
  const narrower: Future<string> = future<string | number>();
  client.release([wider, narrower]);
  client.submit(tasks.loose, promise);
}
