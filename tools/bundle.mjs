// Bundles the runnable programs into apps/cli/bundle: `spillway.mjs` (all commands, split so that each loads only its own
// part) and, as single files because restarts depend on how fast they start, the worker and the entries of its threads.
import { build } from 'esbuild';
import { renameSync, rmSync } from 'node:fs';
import { EXTERNAL_PACKAGES } from './external-packages.mjs';

const target = 'apps/cli/bundle';
// Built beside and put in place at the end: whoever starts a program meanwhile finds a whole bundle.
const outdir = `${target}.${process.pid}`;

const shared = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: 'linked',
  // Half of the text to read at each start, and 8 MB less in every worker. Identifiers stay, so that stacks can be read;
  // `keepNames` is not needed for that, and costs a call for each closure that is made.
  minifyWhitespace: true,
  minifySyntax: true,
  conditions: ['@spillway/source'],
  legalComments: 'none',
  outExtension: { '.js': '.mjs' },
  external: EXTERNAL_PACKAGES,
  // CommonJS dependencies (grpc-js, pino, fastify) call require() for built-ins inside an ES module bundle.
  banner: { js: "import { createRequire as $cr } from 'node:module'; const require = $cr(import.meta.url);" },
  logLevel: 'warning',
};

await build({
  ...shared,
  entryPoints: { spillway: 'apps/cli/src/main.ts' },
  outdir,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
});
for (const [name, entry] of Object.entries({
  worker: 'apps/worker/src/main.ts',
  'task-thread': 'apps/worker/src/task-thread.ts',
  'transfer-thread': 'apps/worker/src/transfer-thread.ts',
  'spill-thread': 'apps/worker/src/spill-thread.ts',
  'journal-thread': 'apps/scheduler/src/journal-thread.ts',
}))
  await build({ ...shared, entryPoints: { [name]: entry }, outdir });

rmSync(target, { recursive: true, force: true });
renameSync(outdir, target);
