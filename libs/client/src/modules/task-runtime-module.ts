/**
 * What a task module gets when it imports `@spillway/client`: the few functions that make sense inside a task, so that
 * its bundle does not drag the client (gRPC, esbuild and all) onto the workers. Types are those of the real package.
 */

/** The symbols are those of `current-task.ts` and of `libs/values`; a test holds them together. */
export const TASK_RUNTIME_MODULE = `
const CURRENT_TASK = Symbol.for('spillway.currentTask');
const CODECS = Symbol.for('spillway.codecs.1');
const SIZES = Symbol.for('spillway.sizeof.1');

export function currentTask() {
  const context = globalThis[CURRENT_TASK]?.getStore();
  if (context !== undefined) return context;
  throw new Error('currentTask() was called outside of a task. It works only in code that a Spillway worker runs as a task.');
}

export function registerCodec(codec) {
  const registry = (globalThis[CODECS] ??= { byName: new Map(), byPrototype: new WeakMap(), count: 0 });
  registry.byName.set(codec.name, codec);
  registry.byPrototype.set(codec.type.prototype, codec);
  registry.count += 1;
}

export function registerSizeof(type, bytesOf) {
  const registry = (globalThis[SIZES] ??= { byPrototype: new WeakMap(), warned: new WeakSet(), count: 0 });
  registry.byPrototype.set(type.prototype, bytesOf);
  registry.count += 1;
}

export function sizeof(value) {
  const { sizeof } = globalThis[SIZES] ?? {};
  if (sizeof !== undefined) return sizeof(value);
  throw new Error('sizeof() was called outside of a worker. In a task module it works only where a Spillway worker runs it.');
}

export function unshared(view) {
  if (!(view.buffer instanceof SharedArrayBuffer)) return view;
  if (view instanceof DataView || Buffer.isBuffer(view)) {
    const copy = new Uint8Array(view.byteLength);
    copy.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    return view instanceof DataView ? new DataView(copy.buffer) : Buffer.from(copy.buffer);
  }
  return new view.constructor(view);
}
`;
