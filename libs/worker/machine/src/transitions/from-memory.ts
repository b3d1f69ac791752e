import type { TransitionsFrom } from './index.js';

export const fromMemory: TransitionsFrom<'memory'> = {
  /** The scheduler freed it. Tasks that were about to use it have to wait for another copy. */
  released: (context, task) => {
    context.free(task.key);
    context.puts.remove(task.key);
    for (const dependent of task.neededBy ?? []) {
      const { state } = dependent;
      if (state.name === 'waiting') state.missingCount += 1;
      if (state.name === 'ready')
        context.move(dependent, { name: 'waiting', run: state.run, missingCount: 1 });
    }
  },
};
