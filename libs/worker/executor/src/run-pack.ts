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
}

const sameFunction = (a: FunctionRef, b: FunctionRef): boolean =>
  a === b ||
  (a.exportName === b.exportName &&
    (a.kind === 'bundle'
      ? b.kind === 'bundle' && a.moduleHash === b.moduleHash
      : b.kind === 'preinstalled' && a.module === b.module));

export function packRuns(
  runs: readonly { readonly seq: number; readonly execution: Execution }[],
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
  }
  return { type: 'runs', count: runs.length, functions, pack: writer.finish() };
}

export function unpackRuns({ count, functions, pack }: RunsMessage): ThreadRun[] {
  const reader = new PackReader(pack);
  const runs: ThreadRun[] = [];
  for (let index = 0; index < count; index += 1) {
    runs.push({
      seq: reader.number(),
      key: reader.text(),
      attempt: reader.number(),
      function: must(functions[reader.number()], 'function of a run'),
      resultEncoding: encodingAt(reader.number()),
      args: reader.payload(),
      inputs: readInputs(reader),
    });
  }
  return runs;
}

function readInputs(reader: PackReader): Payload[] {
  const count = reader.number();
  const inputs: Payload[] = [];
  for (let index = 0; index < count; index += 1) inputs.push(reader.payload());
  return inputs;
}
