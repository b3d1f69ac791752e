/** The door through which limits are read, so that a test can be a machine, a container or a pod. */
import { readFileSync } from 'node:fs';

export interface FileTree {
  /** The text of a small file. `undefined` when it is missing or may not be read: either way it limits nothing. */
  read(path: string): string | undefined;
}

/** The files of this machine, as this process sees them. Reading those that limits are in takes 0.1 ms. */
export const systemFiles: FileTree = {
  read(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  },
};
