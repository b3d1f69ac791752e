import type { WorkerConfig } from '@spillway/config';
import type { ContainerFactory, ValueContainer } from '@spillway/value-container';

/** What a worker keeps its values in, in any of the forms in which it can be said (founding document, `data=`). */
export type WorkerData =
  /** Stays its owner's: the worker does not close it. */
  | ValueContainer
  | ContainerFactory<never>
  /** With what the factory is given beside the worker's folder. */
  | readonly [ContainerFactory<never>, object]
  | NamedContainer;

/** A container, or a factory of containers, that a module exports. */
export interface NamedContainer {
  /** `module#export`; the module is a file or a package, as seen from the install folder. */
  readonly module: string;
  /** For a factory. */
  readonly options?: object;
}

/** What the settings say; `undefined`: the worker keeps its values itself. */
export const dataOf = ({ data, dataOptions }: WorkerConfig): NamedContainer | undefined =>
  data === false ? undefined : { module: data, options: dataOptions };
