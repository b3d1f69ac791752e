import { pathToFileURL } from 'node:url';
import { realpathSync } from 'node:fs';
import { programFiles } from '@spillway/platform';
import { runCommandLine } from './command-line.js';

/** Entry of `spillway`. The other programs lie beside this file. */
const here = pathToFileURL(realpathSync(process.argv[1] ?? ''));
process.exitCode = await runCommandLine(process.argv, programFiles(new URL('.', here)));
