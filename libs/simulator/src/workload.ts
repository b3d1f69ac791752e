import { asTaskKey, type SeededRandom, type TaskKey } from '@spillway/kernel';
import type { FunctionRef, TaskSpec } from '@spillway/messages';
import { digestOf } from './sim-value.js';

/** What a simulated function does; carried in its name, so that nothing but the task spec decides. */
export interface Behaviour {
  readonly durationMs: number;
  readonly sizeBytes: number;
  /** How many first attempts fail. */
  readonly failuresCount: number;
}

const ALWAYS_FAILS = 1_000;

export function behaviourOf(ref: FunctionRef): Behaviour {
  const [, durationMs, sizeBytes, failuresCount] = ref.exportName.split('_');
  return {
    durationMs: Number(durationMs),
    sizeBytes: Number(sizeBytes),
    failuresCount: Number(failuresCount),
  };
}

const functionOf = ({ durationMs, sizeBytes, failuresCount }: Behaviour): FunctionRef => ({
  kind: 'preinstalled',
  module: 'simulated',
  exportName: `f_${durationMs}_${sizeBytes}_${failuresCount}`,
});

export interface Graph {
  readonly tasks: readonly TaskSpec[];
  /** Keys the client holds futures for. */
  readonly wants: readonly TaskKey[];
}

/** What must become of a key, whatever happens to the cluster (but for a task that was killed too often). */
export type Expected =
  { readonly outcome: 'memory'; readonly digest: number } | { readonly outcome: 'erred' };

/** A random graph: layers of tasks that take random results of the layers before, a few of them failing. */
export function randomGraph(
  random: SeededRandom,
  prefix: string,
  { areValuesSmall }: { readonly areValuesSmall: boolean },
): Graph {
  const taskCount = 1 + random.below(30);
  const isLongTasks = random.chance(0.3);
  // Of large values a few fill a worker.
  const largeChance = areValuesSmall ? 0 : random.chance(0.3) ? 0.6 : 0.1;
  const tasks: TaskSpec[] = [];
  for (let i = 0; i < taskCount; i++) {
    const dependencies = new Set<TaskKey>();
    const retries = random.below(3);
    const dependencyCount = tasks.length === 0 ? 0 : random.below(5);
    for (let d = 0; d < dependencyCount; d++) dependencies.add(random.pick(tasks)!.key);
    tasks.push({
      key: asTaskKey(`${prefix}-${i}`),
      function: functionOf({
        durationMs: isLongTasks ? 10 + random.below(2_000) : random.below(20),
        sizeBytes: 4 + random.below(random.chance(largeChance) ? 5_000 : 100),
        failuresCount: random.chance(0.08) ? (random.chance(0.5) ? ALWAYS_FAILS : retries) : 0,
      }),
      args: { encoding: 'json', data: new Uint8Array([91, 93]) },
      dependencies: [...dependencies],
      priority: random.below(3),
      retries,
      workers: [],
      allowOtherWorkers: false,
      timeoutMs: false,
      recompute: true,
      resultEncoding: 'bytes',
    });
  }
  const wants = tasks.filter((_, i) => i === taskCount - 1 || random.chance(0.2)).map(({ key }) => key);
  return { tasks, wants };
}

/** What every key of a graph must come to: the same digest any run gives, or an error where a task always fails. */
export function expectedOf(graphs: readonly Graph[]): Map<TaskKey, Expected> {
  const expected = new Map<TaskKey, Expected>();
  for (const { tasks } of graphs)
    for (const { key, dependencies, retries, function: ref } of tasks) {
      const inputs = dependencies.map((dependency) => expected.get(dependency)!);
      const fails =
        behaviourOf(ref).failuresCount > retries || inputs.some(({ outcome }) => outcome === 'erred');
      expected.set(
        key,
        fails
          ? { outcome: 'erred' }
          : {
              outcome: 'memory',
              digest: digestOf(
                key,
                inputs.map((input) => (input as { digest: number }).digest),
              ),
            },
      );
    }
  return expected;
}
