/**
 * Which names a function's text uses that it does not declare itself: its free variables, by the scoping rules of
 * ECMAScript. Covers everything that acorn parses. Which of them are globals is decided elsewhere.
 */
import type { AnyNode, ArrowFunctionExpression, Class, Function as FunctionNode } from 'acorn';
import { Scope } from './scope.js';

/** `this`, `super` and `import.meta` are named like variables when they mean something outside of the text. */
export function freeVariablesOf(root: FunctionNode | ArrowFunctionExpression, isStrict: boolean): string[] {
  const walker = new FreeVariableWalker(isStrict);
  walker.visitRoot(root as AnyNode);
  return [...walker.found];
}

class FreeVariableWalker {
  readonly found = new Set<string>();

  constructor(private readonly isStrict: boolean) {}

  /** The outermost function: what calls it gives it no `this`, so one that it uses is from outside. */
  visitRoot(node: AnyNode): void {
    const outside = new Scope('arrow', undefined);
    if (node.type === 'FunctionExpression' || node.type === 'FunctionDeclaration')
      outside.declare('arguments');
    this.#visitFunction(node, outside, 'arrow', false);
  }

  visit(node: AnyNode, scope: Scope): void {
    switch (node.type) {
      case 'Identifier': {
        this.#refer(node.name, scope);
        return;
      }
      case 'ThisExpression':
        if (scope.ofThis === undefined) this.found.add('this');
        return;
      case 'Super':
        if (!hasSuper(scope)) this.found.add('super');
        return;
      case 'MetaProperty':
        if (node.meta.name === 'import') this.found.add('import.meta');
        return;
      case 'FunctionDeclaration':
      case 'FunctionExpression': {
        this.#visitFunction(node, scope, 'function', false);
        return;
      }
      case 'ArrowFunctionExpression': {
        this.#visitFunction(node, scope, 'arrow', false);
        return;
      }
      case 'ClassDeclaration':
      case 'ClassExpression': {
        this.#visitClass(node, scope);
        return;
      }
      case 'MemberExpression':
        this.visit(node.object, scope);
        if (node.computed) this.visit(node.property, scope);
        return;
      case 'Property':
        if (node.computed) this.visit(node.key, scope);
        {
          this.#visitMember(node.value, scope, node.method || node.kind !== 'init');
          return;
        }
      case 'LabeledStatement': {
        this.visit(node.body, scope);
        return;
      }
      case 'BreakStatement':
      case 'ContinueStatement':
        return;
      default: {
        this.#visitStatement(node, scope);
        return;
      }
    }
  }

  #visitStatement(node: AnyNode, scope: Scope): void {
    switch (node.type) {
      case 'BlockStatement': {
        this.#visitBody(node.body, new Scope('block', scope));
        return;
      }
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement': {
        this.#visitLoop(node, scope);
        return;
      }
      case 'SwitchStatement': {
        this.visit(node.discriminant, scope);
        const inner = new Scope('block', scope);
        this.#declareLexical(
          node.cases.flatMap((one) => one.consequent),
          inner,
        );
        this.#visitAll(node.cases, inner);
        return;
      }
      case 'CatchClause': {
        const inner = new Scope('block', scope);
        if (node.param) this.#declarePattern(node.param, inner);
        this.#visitChildren(node, inner);
        return;
      }
      default: {
        this.#visitChildren(node, scope);
        return;
      }
    }
  }

  #visitFunction(node: AnyNode, outer: Scope, kind: 'function' | 'arrow', isMethod: boolean): void {
    if (!isFunction(node)) {
      this.visit(node, outer);
      return;
    }
    let around = outer;
    if (node.type === 'FunctionExpression' && node.id) {
      // The name of a function expression is known inside of it only.
      around = new Scope('block', outer);
      around.declare(node.id.name);
    }
    const ofParameters = new Scope(kind, around, isMethod);
    for (const parameter of node.params) this.#declarePattern(parameter, ofParameters);
    this.#visitAll(node.params, ofParameters);
    if (node.body.type !== 'BlockStatement') {
      this.visit(node.body, ofParameters);
      return;
    }
    // A scope of its own: defaults of parameters do not see what the body declares.
    const ofBody = new Scope('arrow', ofParameters);
    this.#hoist(node.body, ofBody);
    this.#visitBody(node.body.body, ofBody);
  }

  #visitClass(node: Class, outer: Scope): void {
    const scope = new Scope('block', outer);
    if (node.id) scope.declare(node.id.name);
    if (node.superClass) this.visit(node.superClass, scope);
    for (const member of node.body.body) {
      if (member.type === 'StaticBlock') {
        const inner = new Scope('function', scope, true);
        member.body.forEach((statement) => this.#hoist(statement, inner));
        this.#visitBody(member.body, inner);
        continue;
      }
      if (member.computed) this.visit(member.key, scope);
      if (!member.value) continue;
      if (member.type === 'MethodDefinition') this.#visitMember(member.value, scope, true);
      else this.visit(member.value, new Scope('function', scope, true));
    }
  }

  #visitMember(value: AnyNode, scope: Scope, isMethod: boolean): void {
    if (isMethod) this.#visitFunction(value, scope, 'function', true);
    else this.visit(value, scope);
  }

  #visitLoop(node: AnyNode & { type: `For${string}` }, scope: Scope): void {
    const inner = new Scope('block', scope);
    const head = 'init' in node ? node.init : 'left' in node ? node.left : undefined;
    if (head?.type === 'VariableDeclaration' && head.kind !== 'var') this.#declareLexical([head], inner);
    this.#visitChildren(node, inner);
  }

  #visitBody(statements: readonly AnyNode[], scope: Scope): void {
    this.#declareLexical(statements, scope);
    this.#visitAll(statements, scope);
  }

  #visitAll(nodes: readonly AnyNode[], scope: Scope): void {
    for (const node of nodes) this.visit(node, scope);
  }

  #visitChildren(node: AnyNode, scope: Scope): void {
    this.#visitAll(childrenOf(node), scope);
  }

  #refer(name: string, scope: Scope): void {
    if (!scope.isDeclared(name)) this.found.add(name);
  }

  #declareLexical(statements: readonly AnyNode[], scope: Scope): void {
    for (const statement of statements) {
      const node = unlabelled(statement);
      if (node.type === 'VariableDeclaration' && node.kind !== 'var') {
        for (const { id } of node.declarations) this.#declarePattern(id, scope);
      } else if ((node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') && node.id) {
        scope.declare(node.id.name);
      }
    }
  }

  /** Declares what belongs to the whole function from anywhere below `node`, other functions excepted. */
  #hoist(node: AnyNode, scope: Scope): void {
    if (node.type === 'VariableDeclaration' && node.kind === 'var') {
      for (const { id } of node.declarations) this.#declarePattern(id, scope);
    }
    // Sloppy code sees functions of blocks in the whole function.
    if (node.type === 'FunctionDeclaration' && !this.isStrict && node.id) scope.declare(node.id.name);
    if (isFunction(node) || node.type === 'ClassDeclaration' || node.type === 'ClassExpression') return;
    for (const child of childrenOf(node)) this.#hoist(child, scope);
  }

  #declarePattern(pattern: AnyNode, scope: Scope): void {
    switch (pattern.type) {
      case 'Identifier': {
        scope.declare(pattern.name);
        return;
      }
      case 'AssignmentPattern': {
        this.#declarePattern(pattern.left, scope);
        return;
      }
      case 'RestElement': {
        this.#declarePattern(pattern.argument, scope);
        return;
      }
      case 'ArrayPattern': {
        pattern.elements.forEach((element) => element && this.#declarePattern(element, scope));
        return;
      }
      case 'ObjectPattern': {
        pattern.properties.forEach((property) =>
          this.#declarePattern(property.type === 'Property' ? property.value : property, scope),
        );
        return;
      }
      default:
    }
  }
}

type AnyFunctionNode = Extract<
  AnyNode,
  { type: 'FunctionDeclaration' | 'FunctionExpression' | 'ArrowFunctionExpression' }
>;

function isFunction(node: AnyNode): node is AnyFunctionNode {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'ArrowFunctionExpression'
  );
}

function hasSuper(scope: Scope): boolean {
  return scope.ofThis?.hasSuper ?? false;
}

function unlabelled(node: AnyNode): AnyNode {
  return node.type === 'LabeledStatement' ? unlabelled(node.body) : node;
}

function childrenOf(node: AnyNode): AnyNode[] {
  const children: AnyNode[] = [];
  for (const value of Object.values(node) as unknown[]) {
    for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof item === 'object' && item !== null && 'type' in item && typeof item.type === 'string') {
        children.push(item as AnyNode);
      }
    }
  }
  return children;
}
