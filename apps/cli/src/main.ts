import { pathToFileURL } from 'node:url';
import { realpathSync } from 'node:fs';
import { programFiles } from '@spillway/platform';
import { runCommandLine } from './command-line.js';

/** Entry of `spillway`. The other programs lie beside this file. */
const here = pathToFileURL(realpathSync(process.argv[1] ?? ''));
const exitCode = await runCommandLine(process.argv, programFiles(new URL('.', here)));
// Not by itself: a connection that gRPC began to a host that does not answer would keep the process for two minutes.
process.stdout.write('', () => process.exit(exitCode));
