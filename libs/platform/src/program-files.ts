import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ProgramStartError } from '@spillway/kernel';

/** Where the built programs and thread entries are. */
export interface ProgramFiles {
  readonly spillway: string;
  readonly worker: string;
  readonly taskThread: URL;
  readonly transferThread: URL;
  readonly spillThread: URL;
  readonly journalThread: URL;
}

/** The programs of a bundle folder; without one, those of the installed `@spillway/cli`. */
export function programFiles(folder?: URL): ProgramFiles {
  const path = folder === undefined ? installedBundle() : fileURLToPath(folder);
  return {
    spillway: join(path, 'spillway.mjs'),
    worker: join(path, 'worker.mjs'),
    taskThread: pathToFileURL(join(path, 'task-thread.mjs')),
    transferThread: pathToFileURL(join(path, 'transfer-thread.mjs')),
    spillThread: pathToFileURL(join(path, 'spill-thread.mjs')),
    journalThread: pathToFileURL(join(path, 'journal-thread.mjs')),
  };
}

function installedBundle(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('@spillway/cli/package.json')), 'bundle');
  } catch (cause) {
    throw new ProgramStartError(
      'The programs of Spillway are not installed: add the package @spillway/cli.',
      {
        cause,
      },
    );
  }
}
