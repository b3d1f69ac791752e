/** Reads the classes of `libs/kernel/src/errors.ts` with their doc comments, as the compiler sees them. */
import ts from 'typescript';

export interface ErrorClass {
  readonly name: string;
  readonly code: string;
  readonly doc: string;
}

/** Every class with a `code`, in order. Throws when one has no doc comment, or is not listed in `ERROR_CLASSES`. */
export function readErrorClasses(file: string, text: string): readonly ErrorClass[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true);
  const classes = source.statements.filter(ts.isClassDeclaration).flatMap(readClass);
  const listed = listedCodes(source);
  for (const { name, code, doc } of classes) {
    if (doc === '') throw new Error(`${file}: ${name} has no doc comment, which docs/errors.md is made of`);
    if (!listed.has(code)) throw new Error(`${file}: ${name} (${code}) is not listed in ERROR_CLASSES`);
  }
  return classes;
}

function readClass(declaration: ts.ClassDeclaration): ErrorClass[] {
  const code = declaration.members
    .filter(ts.isPropertyDeclaration)
    .find((member) => member.name.getText() === 'code')?.initializer;
  if (code === undefined || !ts.isStringLiteral(code)) return [];
  const comments = ts
    .getJSDocCommentsAndTags(declaration)
    .map(({ comment }) => ts.getTextOfJSDocComment(comment));
  return [
    { name: declaration.name?.text ?? '', code: code.text, doc: comments.join(' ').replaceAll(/\s+/g, ' ') },
  ];
}

function listedCodes(source: ts.SourceFile): ReadonlySet<string> {
  const codes = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.name.getText() === 'ERROR_CLASSES') {
      const collect = (inner: ts.Node): void => {
        if (ts.isPropertyAssignment(inner)) codes.add(inner.name.getText());
        else ts.forEachChild(inner, collect);
      };
      collect(node);
    } else ts.forEachChild(node, visit);
  };
  visit(source);
  return codes;
}
