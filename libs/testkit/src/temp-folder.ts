/** A folder that is gone, with all in it, at the end of the test: `await using folder = await TempFolder.create()`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class TempFolder implements AsyncDisposable {
  private constructor(readonly path: string) {}

  /** Makes an empty folder; below the operating system's folder for temporary files unless told otherwise. */
  static async create(parent = tmpdir()): Promise<TempFolder> {
    return new TempFolder(await mkdtemp(join(parent, 'spillway-test-')));
  }

  /** The path of something in the folder. */
  join(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What is still being written into it by something that is closing makes the first tries fail.
    await rm(this.path, { recursive: true, force: true, maxRetries: 5 });
  }
}
