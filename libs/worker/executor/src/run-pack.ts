/** Executions as they travel to a thread: everything given to it in one turn is one pack. */
import { must } from '@spillway/kernel';
import type { Encoding, FunctionRef, Payload } from '@spillway/messages';
import type { Execution } from '@spillway/ports';
import { encodingAt, encodingIndex, PackReader, PackWriter } from './pack.js';
import type { RunsMessage } from './thread-protocol.js';

/** One execution as its thread sees it. `seq` names it between the two sides. */
export interface ThreadRun {
  readonly seq: number;
  readonly key: string;
  readonly attempt: number;
  readonly function: FunctionRef;
  readonly resultEncoding: Encoding;
  readonly args: Payload;
  readonly inputs: readonly Payload[];
  /** As many as inputs, or none at all. Empty texts where they are not known. */
  readonly inputKeys: readonly string[];
}

const NO_KEYS: readonly string[] = [];

const sameFunction = (a: FunctionRef, b: FunctionRef): boolean =>
  a === b ||
  (a.exportName === b.exportName &&
    (a.kind === 'bundle'
      ? b.kind === 'bundle' && a.moduleHash === b.moduleHash
      : b.kind === 'preinstalled' && a.module === b.module));

/** `hasInputKeys`: only a thread that keeps decoded copies has a use for them. */
export function packRuns(
  runs: readonly { readonly seq: number; readonly execution: Execution }[],
  hasInputKeys = false,
): RunsMessage {
  const writer = new PackWriter();
  const functions: FunctionRef[] = [];
  for (const { seq, execution } of runs) {
    // The runs of a turn mostly share a function, or alternate between a few.
    let index = functions.findIndex((known) => sameFunction(known, execution.function));
    if (index === -1) index = functions.push(execution.function) - 1;
    writer.number(seq);
    writer.text(execution.key);
    writer.number(execution.attempt);
    writer.number(index);
    writer.number(encodingIndex(execution.resultEncoding));
    writer.payload(execution.args);
    writer.number(execution.inputs.length);
    for (const input of execution.inputs) writer.payload(input);
    if (hasInputKeys) execution.inputs.forEach((_, at) => writer.text(execution.inputKeys?.[at] ?? ''));
  }
  return { type: 'runs', count: runs.length, hasInputKeys, functions, pack: writer.finish() };
}

export function unpackRuns({ count, hasInputKeys, functions, pack }: RunsMessage): ThreadRun[] {
  const reader = new PackReader(pack);
  const runs: ThreadRun[] = [];
  for (let index = 0; index < count; index += 1) {
    const seq = reader.number();
    const key = reader.text();
    const attempt = reader.number();
    const ref = must(functions[reader.number()], 'function of a run');
    const resultEncoding = encodingAt(reader.number());
    const args = reader.payload();
    const inputs = readInputs(reader);
    const inputKeys = hasInputKeys ? inputs.map(() => reader.text()) : NO_KEYS;
    runs.push({ seq, key, attempt, function: ref, resultEncoding, args, inputs, inputKeys });
  }
  return runs;
}

function readInputs(reader: PackReader): Payload[] {
  const count = reader.number();
  const inputs: Payload[] = [];
  for (let index = 0; index < count; index += 1) inputs.push(reader.payload());
  return inputs;
}
