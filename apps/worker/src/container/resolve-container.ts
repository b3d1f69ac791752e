/**
 * From what the user gave as `data` to a container that is one, and empty. Whatever is wrong is told before the worker
 * registers: a value that arrives has to have a place.
 */
import { mkdir } from 'node:fs/promises';
import { FunctionNotFoundError, InvalidConfigError, ModuleNotLoadableError } from '@spillway/kernel';
import {
  isValueContainer,
  missingMethods,
  type ContainerContext,
  type ValueContainer,
} from '@spillway/value-container';
import { exportOf, importFrom } from './import-from.js';
import type { NamedContainer, WorkerData } from './worker-data.js';

export interface ContainerPlace extends ContainerContext {
  /** From where modules are looked for: `worker.install-folder`. */
  readonly installFolder: string;
}

export interface ResolvedContainer {
  readonly container: ValueContainer;
  /** It was made for this worker, which closes it. */
  readonly isOwned: boolean;
}

/** What the user gave, and its name in messages. */
interface Given {
  readonly name: string;
  readonly candidate: unknown;
  readonly options: object;
}

/** Rejects with `ModuleNotLoadableError`, `FunctionNotFoundError`, or `InvalidConfigError` for what is no empty container. */
export async function resolveContainer(data: WorkerData, place: ContainerPlace): Promise<ResolvedContainer> {
  const given = await givenBy(data, place);
  const isMade = typeof given.candidate === 'function';
  const container = isMade ? await make(given, place) : given.candidate;
  const missing = missingMethods(container);
  if (!isValueContainer(container))
    throw new InvalidConfigError(
      `${given.name} ${isMade ? 'made something that' : 'names something that'} is no container for values: it lacks ${missing.join(', ')}. See docs/user-containers.md.`,
      { details: { missing: missing.join(', ') } },
    );
  if (!isMade && Object.keys(given.options).length > 0)
    throw new InvalidConfigError(
      `${given.name} names a container, which takes no options. Export a function that makes one, or give no options.`,
    );
  try {
    await requireEmpty(container, given.name);
  } catch (error) {
    if (isMade) await container.close?.().catch(() => undefined);
    throw error;
  }
  return { container, isOwned: isMade || isNamed(data) };
}

async function givenBy(data: WorkerData, place: ContainerPlace): Promise<Given> {
  if (isNamed(data))
    return {
      name: `worker.data (${data.module})`,
      candidate: await load(data, place),
      options: data.options ?? {},
    };
  if (!isPair(data)) return { name: 'data', candidate: data, options: {} };
  const [candidate, options] = data;
  if (typeof candidate !== 'function')
    throw new InvalidConfigError(
      `data is a pair of a ${typeof candidate} and options: the first must be a function that makes a container.`,
    );
  return { name: 'data', candidate, options };
}

const isPair = (data: WorkerData): data is Extract<WorkerData, readonly unknown[]> => Array.isArray(data);

const isNamed = (data: WorkerData): data is NamedContainer =>
  typeof data === 'object' && 'module' in data && typeof data.module === 'string' && !isValueContainer(data);

async function load({ module: named }: NamedContainer, place: ContainerPlace): Promise<unknown> {
  const at = named.lastIndexOf('#');
  const [file, exportName] = [named.slice(0, at), named.slice(at + 1)];
  if (at < 1 || exportName === '')
    throw new InvalidConfigError(`worker.data (${named}) is not of the form \`module#export\`.`);
  let loaded: object;
  try {
    loaded = await importFrom(place.installFolder, file);
  } catch (error) {
    throw new ModuleNotLoadableError(
      `The module ${file} of worker.data could not be loaded from ${place.installFolder}: ${textOf(error)}. Files begin with ./ or /; packages must be installed there (worker.install-folder).`,
      { cause: error, details: { module: file } },
    );
  }
  const found = exportOf(loaded, exportName);
  if (found === undefined || found === null)
    throw new FunctionNotFoundError(
      `There is no export ${exportName} in ${file}, which exports: ${Object.keys(loaded).join(', ') || 'nothing'}. Check worker.data.`,
      { details: { module: file, export: exportName } },
    );
  return found;
}

async function make(
  { name, candidate, options }: Given,
  { localDirectory }: ContainerPlace,
): Promise<unknown> {
  const factory = candidate as (context: ContainerContext, given: object) => unknown;
  await mkdir(localDirectory, { recursive: true, mode: 0o700 });
  try {
    return await factory({ localDirectory }, options);
  } catch (error) {
    throw new InvalidConfigError(
      `${name} could not make a container: ${textOf(error)}. It has to be a function of the worker's folder and options, and no class.`,
      { cause: error },
    );
  }
}

/** Values of another life would be taken for this one's. */
async function requireEmpty(container: ValueContainer, name: string): Promise<void> {
  let count: unknown;
  try {
    count = await container.count();
  } catch (error) {
    throw new InvalidConfigError(`${name} gave a container that cannot count its keys: ${textOf(error)}.`, {
      cause: error,
    });
  }
  if (count === 0) return;
  throw new InvalidConfigError(
    `${name} gave a container that is not empty: it has ${String(count)} keys. Give each life of each worker a new one, or empty it first.`,
    { details: { keys: String(count) } },
  );
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
