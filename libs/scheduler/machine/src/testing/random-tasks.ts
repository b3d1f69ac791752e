/** The tasks of `RandomCluster`: a small graph of which clients submit parts. */
import type { TaskSpec } from '@spillway/messages';
import { aTask } from './builders.js';

export const WORKER_NAMES = ['w0', 'w1', 'w2'];
/** What each key depends on, so that graphs of different clients share tasks. */
const DEPENDENCIES: readonly (readonly number[])[] = [
  [],
  [],
  [],
  [0],
  [0, 1],
  [1, 2],
  [3, 4],
  [4, 5],
  [6],
  [6, 7],
  [8, 9],
  [2, 9],
];
export const KEY_COUNT = DEPENDENCIES.length;

export const keyOf = (index: number): string => `k${index % KEY_COUNT}`;

export function ancestorsOf(index: number): Set<number> {
  const found = new Set<number>();
  for (const dependency of DEPENDENCIES[index] ?? [])
    for (const each of ancestorsOf(dependency)) found.add(each);
  return found.add(index);
}

/** The task of a key, a little different with each salt. */
export function randomTask(index: number, salt: number): TaskSpec {
  return aTask(keyOf(index), {
    dependencies: (DEPENDENCIES[index] ?? []).map((dependency) => keyOf(dependency)),
    functionName: `f${index % 3}`,
    moduleHash: `m${index % 2}`,
    priority: salt % 5 === 0 ? 1 : 0,
    retries: salt % 3,
    workers: (salt + index) % 5 === 0 ? [WORKER_NAMES[salt % WORKER_NAMES.length] ?? 'w0'] : [],
    allowOtherWorkers: salt % 2 === 0,
    recompute: index % 4 !== 1,
  });
}

export const inTwo = (tasks: readonly TaskSpec[], wants: readonly string[]) => [
  { tasks: tasks.slice(0, 1), wants: wants.slice(0, 1) },
  { tasks: tasks.slice(1), wants: wants.slice(1) },
];
