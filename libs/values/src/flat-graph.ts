/**
 * The form a value takes between `GraphFlattening` and `GraphRestoring` when it holds more than structured clone gives.
 * What must be replaced is replaced by a marker; steps tell how to put things back, in order.
 */

/** What stands on the wire for an object, written by the serializer in place of a marker. Numbers are on the wire. */
export const STANDS_FOR = {
  view: 0,
  dependency: 1,
  slot: 2,
  error: 3,
  sharedBuffer: 4,
} as const;

/** Meaning of the number: index of the dependency, number of the slot, wire number of the error's class. */
export type Marker =
  | { readonly standsFor: 'dependency' | 'slot' | 'error'; readonly number: number }
  | { readonly standsFor: 'sharedBuffer'; readonly buffer: SharedArrayBuffer };

/** Numbers of the steps on the wire. */
export const STEP = { patch: 0, decode: 1, fill: 2 } as const;

export type Step =
  /** Direct children of the container are slots or dependencies: put their values there. */
  | readonly [typeof STEP.patch, container: object]
  /** The slot's value is what the codec makes of the data. */
  | readonly [typeof STEP.decode, slot: number, codecName: string, data: unknown]
  /** Give the error its properties. */
  | readonly [typeof STEP.fill, error: object, hidden: readonly unknown[], shown: readonly unknown[]];

/** What is serialized. Order matters: steps are in the order in which they can be done, inner ones first. */
export type FlatGraph = readonly [
  root: unknown,
  /** Containers cut off where nesting became too deep, each as slot, container. */
  hoisted: readonly unknown[],
  steps: readonly Step[],
];
