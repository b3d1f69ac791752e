/**
 * A cluster in memory behind the client's seam. It really runs nothing: it keeps what the client says, and a test
 * decides what the cluster answers. Values live in a map of holders, so that fetches and puts do what they say.
 */
import {
  asClientId,
  asWorkerId,
  NoValidWorkerError,
  UnavailableError,
  type TaskKey,
  type WorkerId,
} from '@spillway/kernel';
import {
  NO_READINGS,
  type ClientToScheduler,
  type Holder,
  type KeyInfo,
  type Payload,
  type RunOutcome,
  type RetireRequest,
  type RetirementReport,
  type RunRequest,
  type SchedulerToClient,
  type TaskSpec,
  type WorkerInfo,
  type WorkerStatus,
} from '@spillway/messages';
import type { ArrivedValue, GatherOutcome } from '@spillway/ports';
import { encodeValue } from '@spillway/values';
import type { ClusterConnection, ConnectionListener, KeyWithSize, Route } from '../cluster-connection.js';

export interface FetchCall {
  readonly route: Route;
  readonly holder: Holder;
  readonly keys: readonly TaskKey[];
}

export class FakeCluster implements ClusterConnection {
  readonly clientId = asClientId('c1');
  readonly said: ClientToScheduler[] = [];
  readonly fetches: FetchCall[] = [];
  readonly puts: { readonly route: Route; readonly holder: Holder; readonly key: TaskKey }[] = [];
  readonly modules = new Map<string, Uint8Array>();
  readonly uploads: string[] = [];
  readonly stored = new Map<string, Map<TaskKey, Payload>>();
  readonly keyInfos = new Map<TaskKey, KeyInfo>();
  workers: Holder[] = [aHolder('w1')];
  /** Of workers that are not running. */
  readonly statuses = new Map<string, WorkerStatus>();
  isClosed = false;
  backlogBytes = 0;
  /** Accepts each graph at once; a test that says no turns it off. */
  acceptsGraphs = true;
  listener: ConnectionListener | undefined;
  /** Decides what happens to a fetch; `undefined`: what is stored. */
  onFetch: (call: FetchCall) => GatherOutcome | Promise<GatherOutcome> | undefined = () => undefined;
  onPut: (route: Route, holder: Holder) => Promise<void> = () => Promise.resolve();
  onRetire: ClusterConnection['retireWorkers'] = () => Promise.resolve([]);
  onRestart: ClusterConnection['restartWorkers'] = () => Promise.resolve([]);
  onRun: (request: RunRequest, workers: readonly string[]) => ReturnType<ClusterConnection['runOnWorkers']> =
    () => Promise.resolve([]);

  /** What the scheduler says to the client. */
  tell(...messages: SchedulerToClient[]): void {
    this.listener?.onMessages(messages);
  }

  /** The key is in memory of the worker, and the value is there. */
  finish(key: string, value: unknown, worker = this.workers[0]!): void {
    const payload = encodeValue(value);
    this.#storeOf(worker).set(key as TaskKey, payload);
    this.tell({
      type: 'key-in-memory',
      key: key as TaskKey,
      nbytes: payload.data.byteLength,
      holders: [worker],
    });
  }

  finishInline(key: string, value: unknown): void {
    const inline = encodeValue(value);
    const [holder] = this.workers;
    const holders = holder === undefined ? [] : [holder];
    this.tell({
      type: 'key-in-memory',
      key: key as TaskKey,
      nbytes: inline.data.byteLength,
      holders,
      inline,
    });
  }

  /** All tasks submitted, in order. */
  get tasks(): TaskSpec[] {
    return this.said.flatMap((message) => (message.type === 'graph-part' ? message.tasks : []));
  }

  /** The graphs that were committed, with all that they want: each part says it of its tasks. */
  get graphs(): Extract<ClientToScheduler, { type: 'graph-commit' }>[] {
    return this.allSaid('graph-commit').map((commit) => {
      const isOfIt = ({ submissionId }: { readonly submissionId: string }): boolean =>
        submissionId === commit.submissionId;
      const wants = this.allSaid('graph-part')
        .filter(isOfIt)
        .flatMap((part) => part.wants ?? []);
      return { ...commit, wants: [...wants, ...commit.wants] };
    });
  }

  allSaid<T extends ClientToScheduler['type']>(type: T): Extract<ClientToScheduler, { type: T }>[] {
    return this.said.filter(
      (message): message is Extract<ClientToScheduler, { type: T }> => message.type === type,
    );
  }

  valueOf(key: string): Payload | undefined {
    for (const store of this.stored.values()) {
      const payload = store.get(key as TaskKey);
      if (payload !== undefined) return payload;
    }
    return undefined;
  }

  send(message: ClientToScheduler): void {
    this.said.push(message);
    if (message.type === 'graph-commit' && this.acceptsGraphs) {
      this.tell({ type: 'graph-accepted', submissionId: message.submissionId });
    }
  }

  describeKeys(keys: readonly TaskKey[]): Promise<readonly KeyInfo[]> {
    const unknown = (key: TaskKey): KeyInfo => ({ key, state: 'forgotten', nbytes: undefined, whoHas: [] });
    return Promise.resolve(keys.map((key) => this.keyInfos.get(key) ?? unknown(key)));
  }

  listWorkers(): Promise<readonly WorkerInfo[]> {
    const statusOf = ({ workerId }: Holder): WorkerStatus => this.statuses.get(workerId) ?? 'running';
    return Promise.resolve(
      this.workers.map((holder) => ({ ...aWorkerInfo(holder), status: statusOf(holder) })),
    );
  }

  hasWhat(workerId: string): ReturnType<ClusterConnection['hasWhat']> {
    const store = this.stored.get(workerId);
    if (store === undefined) return Promise.resolve(undefined);
    return Promise.resolve([...store].map(([key, { data }]) => ({ key, nbytes: data.byteLength })));
  }

  planScatter(_nbytes: number, copies: number): Promise<readonly Holder[]> {
    if (this.workers.length === 0) return Promise.reject(new NoValidWorkerError('no workers'));
    return Promise.resolve(this.workers.slice(0, copies));
  }

  runOnWorkers(
    request: RunRequest,
    workers: readonly string[],
  ): Promise<readonly { workerId: Holder['workerId']; outcome: RunOutcome }[]> {
    return this.onRun(request, workers);
  }

  retireWorkers(
    request: RetireRequest,
    onProgress: (reports: readonly RetirementReport[]) => void,
  ): Promise<readonly RetirementReport[]> {
    return this.onRetire(request, onProgress);
  }

  restartWorkers(workers: readonly string[], reason: string): Promise<readonly WorkerId[]> {
    return this.onRestart(workers, reason);
  }

  hasModule(hash: string): Promise<boolean> {
    return Promise.resolve(this.modules.has(hash));
  }

  uploadModule(hash: string, bytes: Uint8Array): Promise<void> {
    this.uploads.push(hash);
    this.modules.set(hash, bytes);
    return Promise.resolve();
  }

  async fetch(route: Route, holder: Holder, keys: readonly KeyWithSize[]): Promise<GatherOutcome> {
    const call = { route, holder, keys: keys.map(({ key }) => key) };
    this.fetches.push(call);
    const decided = await this.onFetch(call);
    if (decided !== undefined) return decided;
    const store = this.#storeOf(holder);
    const values: ArrivedValue[] = [];
    const missing: TaskKey[] = [];
    for (const key of call.keys) {
      const payload = store.get(key);
      if (payload === undefined) missing.push(key);
      else values.push({ key, payload });
    }
    return { type: 'gather-success', values, missing };
  }

  async put(route: Route, holder: Holder, { key, payload }: ArrivedValue): Promise<void> {
    this.puts.push({ route, holder, key });
    await this.onPut(route, holder);
    this.#storeOf(holder).set(key, payload);
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  #storeOf({ workerId }: Holder): Map<TaskKey, Payload> {
    let store = this.stored.get(workerId);
    if (store === undefined) this.stored.set(workerId, (store = new Map<TaskKey, Payload>()));
    return store;
  }
}

export const aHolder = (name: string): Holder => ({ workerId: asWorkerId(name), address: `${name}:1` });

export const unreachable = (): Promise<never> => Promise.reject(new UnavailableError('no way'));

function aWorkerInfo({ workerId, address }: Holder): WorkerInfo {
  return {
    workerId,
    name: `name-of-${workerId}`,
    address,
    status: 'running',
    nthreads: 1,
    memoryLimitBytes: false,
    ...NO_READINGS,
    isUnderPressure: false,
    processingCount: 0,
    keyCount: 0,
  };
}
