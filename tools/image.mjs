// Lays out what the container image needs: the bundled programs and the few packages that stay outside the bundle.
//   node tools/image.mjs <folder>
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EXTERNAL_PACKAGES } from './external-packages.mjs';

const [target] = process.argv.slice(2);
if (target === undefined) {
  process.stderr.write('usage: node tools/image.mjs <folder>\n');
  process.exit(2);
}
const copied = new Set();

function copy(name, optional) {
  const from = join('node_modules', name);
  if (copied.has(name)) return;
  if (!existsSync(from)) {
    if (optional) return;
    throw new Error(`${name} is not installed`);
  }
  copied.add(name);
  const to = join(target, 'node_modules', name);
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, dereference: true });
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
    readFileSync(join(from, 'package.json'), 'utf8'),
  );
  for (const dependency of Object.keys(dependencies)) copy(dependency, false);
  for (const dependency of Object.keys(optionalDependencies)) copy(dependency, true);
}

mkdirSync(target, { recursive: true });
cpSync('apps/cli/bundle', join(target, 'bundle'), { recursive: true });
for (const name of EXTERNAL_PACKAGES) copy(name, false);
