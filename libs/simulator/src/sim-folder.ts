import type { TaskKey } from '@spillway/kernel';
import type { FoundInFolder } from '@spillway/worker-store';
import { SimFiles } from './sim-files.js';

/** What the life of a worker that has ended had, as far as that can be known from outside. */
export interface Left {
  /** Values that were on disk, and had been answered for. */
  readonly onDisk: ReadonlySet<TaskKey>;
  /** Values that were in RAM only. */
  readonly inRam: ReadonlySet<TaskKey>;
  /** What it had asked the disk for and had no answer to. */
  readonly unanswered: ReadonlySet<TaskKey>;
}

/** The spill folder of one simulated worker, from life to life. */
export class SimFolder {
  readonly files = new SimFiles();
  /** `undefined` for a folder that is new. */
  left: Left | undefined;

  /** What the next life finds. Throws where that is too little, or what cannot be. */
  scan(): FoundInFolder {
    const found = this.files.scan();
    if (this.left !== undefined) check(found, this.left);
    return found;
  }
}

function check({ values }: FoundInFolder, { onDisk, inRam, unanswered }: Left): void {
  const found = new Set(values.map(({ key }) => key));
  const missing = [...onDisk].filter((key) => !found.has(key));
  if (missing.length > 0) throw new Error(`[${missing.join(' ')}] were on disk and are not found there.`);
  // In RAM only, and on disk all the same: what was being written.
  const wrong = [...found].filter((key) => !onDisk.has(key) && !unanswered.has(key));
  if (wrong.length > 0)
    throw new Error(
      `[${wrong.join(' ')}] were ${wrong.every((key) => inRam.has(key)) ? 'in RAM only' : 'freed'} and are found on disk.`,
    );
}
