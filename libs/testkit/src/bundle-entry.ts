/**
 * Bundles the body of a `worker_threads` thread for specs, as the programs' bundles are made (`tools/`). Specs run
 * from TypeScript source under Jest, which a thread knows nothing of. Not for production code.
 */
import { createHash } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, stop, type BuildOptions } from 'esbuild';

/** CommonJS dependencies (grpc-js) call `require()` for built-ins inside an ES module bundle. */
const BANNER = "import { createRequire as $cr } from 'node:module'; const require = $cr(import.meta.url);";

/** By name. Sources do not change while a spec runs. */
const bundles = new Map<string, Promise<URL>>();

/**
 * Bundles `source` (the text of an entry module, TypeScript), whose imports resolve from `resolveDir`, and returns
 * the file to start a thread with. The same source always has the same file, replaced whole, so nothing piles up.
 */
export function bundleThreadEntry(source: string, resolveDir: string): Promise<URL> {
  const name = createHash('sha256').update(`${resolveDir}\n${source}`).digest('hex').slice(0, 16);
  const known = bundles.get(name);
  if (known !== undefined) return known;
  const bundle = writeBundle(source, resolveDir, name);
  bundles.set(name, bundle);
  return bundle;
}

async function writeBundle(source: string, resolveDir: string, name: string): Promise<URL> {
  const folder = bundleFolder(resolveDir);
  await mkdir(folder, { recursive: true });
  const finished = join(folder, `${name}.mjs`);
  const unfinished = join(folder, `${name}.${process.pid}.${performance.now()}.mjs`);
  await buildAndStop({
    stdin: { contents: source, resolveDir, loader: 'ts' },
    outfile: unfinished,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    keepNames: true,
    conditions: ['@spillway/source'],
    // Packages of native code stay outside and resolve from the workspace.
    external: ['@node-rs/*', 'lz4-napi', 'koffi', '*.node'],
    banner: { js: BANNER },
    legalComments: 'none',
    logLevel: 'silent',
  });
  await rename(unfinished, finished);
  return pathToFileURL(finished);
}

let buildCount = 0;

/** esbuild's process would live as long as this one, and each spec would start another. */
async function buildAndStop(options: BuildOptions): Promise<void> {
  buildCount++;
  try {
    await build(options);
  } finally {
    buildCount--;
    if (buildCount === 0) await stop();
  }
}

/** Below the workspace's `node_modules`, so that what stays outside of the bundle can be found from there. */
function bundleFolder(resolveDir: string): string {
  const packageFile = createRequire(join(resolveDir, 'entry.js')).resolve('esbuild/package.json');
  return join(dirname(dirname(packageFile)), '.cache', 'spillway-threads');
}
