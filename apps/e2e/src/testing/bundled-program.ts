/** A user's program as a bundler makes it: one file, with the client inside and what the client leaves out beside it. */
import { symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const INSTALLED_PACKAGES = dirname(dirname(createRequire(import.meta.url).resolve('esbuild/package.json')));

/** `source`: text of an entry in TypeScript, whose imports resolve from here. `outfile`: in a folder of its own. */
export async function bundleProgram(source: string, outfile: string): Promise<string> {
  await build({
    stdin: { contents: source, resolveDir: __dirname, loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['@spillway/source'],
    external: ['esbuild', '@node-rs/*'],
    banner: {
      js: "import { createRequire as $cr } from 'node:module'; const require = $cr(import.meta.url);",
    },
    logLevel: 'silent',
  });
  await symlink(INSTALLED_PACKAGES, join(dirname(outfile), 'node_modules'));
  return outfile;
}
