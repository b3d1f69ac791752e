import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { flagsSource, loadConfig, readConfigSources, type SpillwayConfig } from '@spillway/config';
import { asWorkerId, type NannyId, type WorkerId } from '@spillway/kernel';
import {
  configDoors,
  heapCaps,
  programFiles,
  type HeapCaps,
  type MemoryLimitReading,
  type ProgramFiles,
} from '@spillway/platform';
import { dataOf, type WorkerData } from './container/worker-data.js';
import { LiveLimit, readOwnLimit } from './memory-limit.js';

/** The flags of `spillway worker`, by name; each may be left out. */
export interface WorkerOptions {
  readonly name?: string;
  readonly nthreads?: number;
  readonly memoryLimit?: string | number | false;
  readonly host?: string;
  readonly port?: number;
  readonly contactAddress?: string;
  readonly localDirectory?: string;
  readonly installFolder?: string;
  readonly preinstall?: Readonly<Record<string, string>>;
  readonly validate?: boolean;
  readonly insecure?: boolean;
  readonly logLevel?: string;
  /** What to keep values in, instead of RAM and files of the worker's own (docs/user-containers.md). As text: `module#export`. */
  readonly data?: WorkerData | string;
  readonly dataOptions?: string | object;
}

/** Who started the worker, where that is a nanny. */
export interface WorkerOrigin {
  readonly workerId?: WorkerId;
  readonly nannyId?: NannyId;
  readonly nannyName?: string;
  /** A nanny that is started again has the same name. */
  readonly keepsNannyName?: boolean;
  readonly programs?: ProgramFiles;
  /** Called again and again for as long as the control loop turns. */
  readonly onHeartbeat?: () => void;
}

/** Everything a worker is made of, decided. */
export interface ResolvedWorker {
  readonly schedulerAddress: string;
  readonly config: SpillwayConfig;
  readonly workerId: WorkerId;
  readonly nannyId: NannyId | undefined;
  readonly nannyName: string | undefined;
  readonly keepsNannyName: boolean;
  readonly name: string;
  /** The limit at the start, and where it is from. */
  readonly limitReading: MemoryLimitReading;
  /** The limit at the start. */
  readonly limitBytes: number | false;
  /** The limit as it is now. */
  readonly limit: LiveLimit;
  readonly heapCaps: HeapCaps;
  readonly programs: ProgramFiles;
  readonly onHeartbeat: (() => void) | undefined;
  /** `undefined`: the worker keeps its values itself. */
  readonly data: WorkerData | undefined;
}

export async function resolveWorker(
  schedulerAddress: string,
  options: WorkerOptions,
  origin: WorkerOrigin,
): Promise<ResolvedWorker> {
  const { data, ...others } = options;
  const flags = typeof data === 'string' ? { ...others, data } : others;
  const sources = await readConfigSources(configDoors());
  const config = loadConfig([...sources, flagsSource('worker', flags)], ['worker']);
  const { worker } = config;
  const limitReading = readOwnLimit(config);
  const { limitBytes } = limitReading;
  const workerId = origin.workerId ?? asWorkerId(randomBytes(6).toString('hex'));
  return {
    schedulerAddress,
    config,
    workerId,
    nannyId: origin.nannyId,
    nannyName: origin.nannyName,
    keepsNannyName: origin.keepsNannyName ?? false,
    name: worker.name === false ? `${hostname()}-${workerId.slice(0, 4)}` : worker.name,
    limitReading,
    limitBytes,
    limit: new LiveLimit(limitBytes),
    heapCaps: heapCaps(limitBytes === false ? limitReading.machine.totalBytes : limitBytes, worker.nthreads),
    programs: origin.programs ?? programFiles(),
    onHeartbeat: origin.onHeartbeat,
    data: typeof data === 'object' || typeof data === 'function' ? data : dataOf(worker),
  };
}
