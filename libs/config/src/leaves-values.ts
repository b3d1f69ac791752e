import type { WorkerConfig } from './settings.js';

/** Whether workers with these settings leave what they spill to their next lives: a nanny and its workers have to agree. */
export const leavesValues = (
  { data, memory }: Pick<WorkerConfig, 'data' | 'memory'>,
  limitBytes: number | false,
): boolean => memory.adopt && data === false && spills(memory, limitBytes);

/** Whether anything is ever spilled. */
export const spills = (
  { target, spill }: Pick<WorkerConfig['memory'], 'target' | 'spill'>,
  limitBytes: number | false,
): boolean => limitBytes !== false && (target !== false || spill !== false);
