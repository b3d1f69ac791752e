/** The packages of the workspace, and what each file imports. */
import { dirname, posix } from 'node:path';
import ts from 'typescript';
import { isSpec, isTypeScript, type Finding, type SourceFile } from './source-tree.js';
import { treeOf } from './syntax-rules.js';

interface Manifest {
  readonly name?: string;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

export interface Package {
  readonly name: string;
  /** From the root: `libs/worker/machine`. */
  readonly folder: string;
  readonly manifest: Manifest;
  readonly files: readonly SourceFile[];
}

/** The packages of the workspace, with their TypeScript files. */
export function packagesOf(files: readonly SourceFile[]): readonly Package[] {
  return files
    .filter(({ path }) => /^(?:libs|apps|examples|proto)\/(?:.*\/)?package\.json$/.test(path))
    .map(({ path, text }) => {
      const folder = dirname(path);
      const manifest = JSON.parse(text) as Manifest;
      const own = files.filter((file) => isTypeScript(file) && file.path.startsWith(`${folder}/`));
      return { name: manifest.name ?? folder, folder, manifest, files: own };
    });
}

/** The modules that a file imports or exports from, also by `import()` and in types, as written. */
export function importsOf(file: SourceFile): readonly string[] {
  const specifiers: string[] = [];
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) specifiers.push(specifier.text);
    ts.forEachChild(node, visit);
  };
  visit(treeOf(file));
  return specifiers;
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return node.arguments[0];
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return node.argument.literal;
  return undefined;
}

const isOwn = (specifier: string): boolean => specifier.startsWith('@spillway/');

/** The package of `@spillway/name` or `@spillway/name/testing`. */
const packageOf = (specifier: string): string => specifier.split('/').slice(0, 2).join('/');

/** Which library uses which, apart from what is for tests: `client > config, kernel`. */
export function importGraph(packages: readonly Package[]): string {
  const lines = packages
    .filter(({ folder }) => folder.startsWith('libs/'))
    .map(({ name, files }) => {
      const used = files
        .filter((file) => !isSpec(file) && !file.path.includes('/src/testing/'))
        .flatMap((file) => importsOf(file).filter(isOwn).map(packageOf));
      const arrows = [...new Set(used)].filter((other) => other !== name).toSorted();
      return `${shortName(name)} > ${arrows.map(shortName).join(', ')}`.trimEnd();
    });
  return `${lines.toSorted().join('\n')}\n`;
}

const shortName = (name: string): string => name.replace('@spillway/', '');

/** Entries of `exports` that a library may have; each is one door. */
const DOORS: Readonly<Record<string, string>> = {
  '.': './src/index.ts',
  './testing': './src/testing/index.ts',
};

/** Libraries offer `src/index.ts` (and `src/testing/index.ts`) and nothing else. */
export const extraDoors = (packages: readonly Package[]): Finding[] =>
  packages
    .filter(({ folder }) => folder.startsWith('libs/'))
    .flatMap(({ folder, manifest }) =>
      Object.entries(manifest.exports ?? {}).flatMap(([entry, target]) => {
        if (entry === './package.json') return [];
        const source = (target as Readonly<Record<string, unknown>>)['@spillway/source'];
        return DOORS[entry] === source && source !== undefined
          ? []
          : [`${folder} opens a door of its own: ${entry}`];
      }),
    );

/** Nobody goes round a door: no path into another package, no `@spillway/x/src/…`. */
export function deepImports(packages: readonly Package[]): Finding[] {
  const doors = new Set(
    packages.flatMap(({ name, manifest }) =>
      Object.keys(manifest.exports ?? {}).map((entry) => posix.join(name, entry)),
    ),
  );
  return eachImport(packages, ({ folder }, file, specifier) => {
    const leaves =
      specifier.startsWith('.') && !posix.join(dirname(file.path), specifier).startsWith(`${folder}/`);
    const isDeep = isOwn(specifier) && specifier.split('/').length > 2 && !doors.has(specifier);
    return leaves || isDeep ? [`${file.path} imports ${specifier}, past the door`] : [];
  });
}

/** Development only: these come with the workspace. */
const WORKSPACE_TOOLS = new Set(['fast-check', 'typescript', '@jest/globals']);

/** What a package imports it also declares. */
export const undeclaredImports = (packages: readonly Package[]): Finding[] =>
  eachImport(packages, ({ name, manifest }, file, specifier) => {
    if (specifier.startsWith('.') || specifier.startsWith('node:')) return [];
    const parts = specifier.split('/');
    const imported = parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
    const isForTests = /\.spec(-d)?\.ts$|\/testing\//.test(file.path);
    const isKnown =
      imported === name ||
      WORKSPACE_TOOLS.has(imported) ||
      manifest.dependencies?.[imported] !== undefined ||
      (isForTests && manifest.devDependencies?.[imported] !== undefined);
    return isKnown ? [] : [`${file.path} imports ${imported}, which its package.json does not name`];
  });

/** What a library declares it also imports, be it in its specs. */
export const unusedDependencies = (packages: readonly Package[]): Finding[] =>
  packages
    .filter(({ folder }) => folder.startsWith('libs/'))
    .flatMap(({ folder, manifest, files }) => {
      const used = files.flatMap(importsOf);
      const isUsed = (name: string): boolean =>
        used.some((specifier) => specifier === name || specifier.startsWith(`${name}/`));
      return Object.keys(manifest.dependencies ?? {})
        .filter((name) => !isUsed(name))
        .map((name) => `${folder} declares ${name} and does not import it`);
    });

/** Packages that import each other, directly or in a ring. */
export function circles(packages: readonly Package[]): Finding[] {
  const uses = new Map(
    packages.map(({ name, files }) => [
      name,
      new Set(files.flatMap((file) => importsOf(file).filter(isOwn).map(packageOf))),
    ]),
  );
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
    [...(uses.get(from) ?? [])].some((next) => {
      if (next === from || seen.has(next)) return false;
      seen.add(next);
      return next === to || reaches(next, to, seen);
    });
  return packages
    .filter(({ name }) => reaches(name, name))
    .map(({ name }) => `${name} is in a circle of imports`);
}

/** Files of a library that neither its doors nor its specs lead to. */
export const orphans = (packages: readonly Package[]): Finding[] =>
  packages
    .filter(({ folder }) => folder.startsWith('libs/'))
    .flatMap((library) => {
      const byPath = new Map(library.files.map((file) => [file.path, file]));
      const seen = new Set<string>();
      const follow = (file: SourceFile): void => {
        if (seen.has(file.path)) return;
        seen.add(file.path);
        for (const specifier of importsOf(file)) {
          const path = posix.join(dirname(file.path), specifier.replace(/\.js$/, '.ts'));
          const next = specifier.startsWith('.') ? byPath.get(path) : undefined;
          if (next !== undefined) follow(next);
        }
      };
      library.files
        .filter((file) => isSpec(file) || /\/src\/(?:testing\/)?index\.ts$/.test(file.path))
        .forEach(follow);
      const isPart = ({ path }: SourceFile): boolean =>
        path.startsWith(`${library.folder}/src/`) && !path.endsWith('.d.ts');
      return library.files
        .filter((file) => isPart(file) && !seen.has(file.path))
        .map(({ path }) => `${path} is used by nothing`);
    });

function eachImport(
  packages: readonly Package[],
  look: (owner: Package, file: SourceFile, specifier: string) => Finding[],
): Finding[] {
  return packages.flatMap((owner) =>
    owner.files.flatMap((file) => importsOf(file).flatMap((specifier) => look(owner, file, specifier))),
  );
}
