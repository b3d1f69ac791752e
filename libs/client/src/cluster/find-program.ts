/** Where the programs of a cluster are: the bundle of `@spillway/cli`, as installed beside this package. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProgramStartError } from '@spillway/kernel';

/** `given`: path or file URL of the script, when it is elsewhere. Throws `ProgramStartError` when there is none. */
export function findProgram(given: string | URL | undefined): string {
  const program = given === undefined ? installedProgram() : pathOf(given);
  if (existsSync(program)) return program;
  throw new ProgramStartError(
    `The programs of Spillway are not at ${program}. ` +
      (given === undefined
        ? 'Build them (`npm run build` in the repository), or install @spillway/cli anew.'
        : 'Check the option "program".'),
    { details: { program } },
  );
}

function installedProgram(): string {
  let manifest: string;
  try {
    manifest = createRequire(import.meta.url).resolve('@spillway/cli/package.json');
  } catch (error) {
    throw new ProgramStartError(
      'A local cluster needs the package @spillway/cli, which is not installed. Install it, or give the option "program".',
      { cause: error },
    );
  }
  return join(dirname(manifest), 'bundle', 'spillway.mjs');
}

function pathOf(given: string | URL): string {
  return given instanceof URL || given.startsWith('file:') ? fileURLToPath(given) : given;
}
