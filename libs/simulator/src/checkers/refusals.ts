import type { TaskKey } from '@spillway/kernel';
import type { RemoteError } from '@spillway/messages';
import type { SimClient } from '../sim-client.js';
import { LIMIT_BYTES } from '../sim-worker.js';
import { behaviourOf, type Graph } from '../workload.js';

/** Of what clients hold, how much was not run because inputs are larger than every worker. Throws when they are not. */
export function checkRefusals(clients: readonly SimClient[]): number {
  let count = 0;
  for (const { graphs, wanted } of clients) {
    const sizes = sizesOf(graphs);
    for (const known of wanted.values()) {
      const refused = known.state === 'erred' ? refusedTask(known.error) : undefined;
      if (refused === undefined) continue;
      count += 1;
      checkOne(graphs, sizes, refused);
    }
  }
  return count;
}

/** An execution that ended had inputs that may be on one worker. */
export function checkInputs(key: TaskKey, inputBytes: number): void {
  if (inputBytes > LIMIT_BYTES)
    throw new Error(
      `${key} was executed with inputs of ${inputBytes} bytes, and workers have ${LIMIT_BYTES}.`,
    );
}

function checkOne(graphs: readonly Graph[], sizes: ReadonlyMap<TaskKey, number>, refused: RemoteError): void {
  const { key, inputBytes } = refused.details;
  const task = graphs.flatMap(({ tasks }) => tasks).find((each) => each.key === key);
  const bytes = task?.dependencies.reduce((sum, dependency) => sum + sizes.get(dependency)!, 0) ?? 0;
  if (String(bytes) !== inputBytes || bytes <= LIMIT_BYTES)
    throw new Error(`${key} was refused for inputs of ${inputBytes} bytes; they have ${bytes}.`);
}

/** The error, or one behind it, by which a task was refused. */
function refusedTask(error: RemoteError): RemoteError | undefined {
  if (error.code === 'TASK_OUT_OF_MEMORY' && error.details['inputBytes'] !== undefined) return error;
  return error.cause === undefined ? undefined : refusedTask(error.cause);
}

const sizesOf = (graphs: readonly Graph[]): Map<TaskKey, number> =>
  new Map(
    graphs.flatMap(({ tasks }) =>
      tasks.map((task) => [task.key, behaviourOf(task.function).sizeBytes] as const),
    ),
  );
