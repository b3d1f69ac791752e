/**
 * A checker that stands outside the machine: from the instructions alone it keeps what clients have been told and what
 * workers really hold, and compares that with what the machine believes.
 */
import { asClientId, asTaskKey, asWorkerId } from '@spillway/kernel';
import type { SchedulerToWorker } from '@spillway/messages';
import type { SchedulerInstruction } from '../instructions.js';
import type { SchedulerMachine } from '../scheduler-machine.js';

interface Draining {
  readonly workerId: string;
  readonly runId: number;
  readonly missing: readonly string[];
}

export class OutsideView {
  /** Last news of a key that a client got. */
  readonly #news = new Map<string, Map<string, string>>();
  /** Values in the workers' stores. */
  readonly #stores = new Map<string, Set<string>>();
  /** Runs that paused workers were told to do all the same, by key. */
  readonly #draining = new Map<string, Draining>();
  /** Of each worker, what it last said. */
  readonly #limits = new Map<string, number | false>();
  /** Tasks that were sent to workers whose limit they exceed, in words. */
  readonly #tooLarge: string[] = [];
  #isRestarted = false;
  readonly #away = new Set<string>();
  /** The last run of each key. */
  readonly #lastRun = new Map<string, number>();

  storeOf(workerId: string): Set<string> {
    const store = this.#stores.get(workerId) ?? new Set<string>();
    this.#stores.set(workerId, store);
    return store;
  }

  /** A process begins with these values, and without any others. */
  startStore(workerId: string, keys: readonly string[]): void {
    this.#stores.set(workerId, new Set(keys));
  }

  setLimit(workerId: string, limitBytes: number | false): void {
    this.#limits.set(workerId, limitBytes);
  }

  /** The scheduler has died and been started again: what was in memory is awaited, and clients have heard nothing of it. */
  schedulerRestarted(): void {
    this.#isRestarted = true;
    this.#draining.clear();
    for (const clientId of this.#news.keys()) this.#away.add(clientId);
  }

  /** Has not noticed yet that this is another life of the scheduler, so what it was told is old. */
  isAway(clientId: string): boolean {
    return this.#away.has(clientId);
  }

  isBack(clientId: string): void {
    this.#away.delete(clientId);
  }

  hear(instructions: readonly SchedulerInstruction[]): void {
    for (const instruction of instructions) {
      if (instruction.type === 'send-to-client') {
        const { message, clientId } = instruction;
        if ('key' in message) this.#newsOf(clientId).set(message.key, message.type);
      } else if (instruction.type === 'forget-client') {
        this.#news.delete(instruction.clientId);
        this.#away.delete(instruction.clientId);
      } else if (instruction.type === 'end-worker-session') {
        this.#stores.delete(instruction.workerId);
      } else if (instruction.type === 'send-to-worker') {
        this.#hearWorker(instruction.workerId, instruction.message);
      }
    }
  }

  /** What is wrong, in words; nothing when all is well. */
  contradictions(machine: SchedulerMachine): string[] {
    const found: string[] = [...this.#tooLarge, ...this.#drainingTrouble(machine)];
    for (const [clientId, news] of this.#news) {
      if (this.isAway(clientId)) continue;
      const wants = new Set(machine.wantsOf(asClientId(clientId)) ?? []);
      // News of a key without a future (any more) is history when the client comes to want it again.
      for (const key of [...news.keys()]) if (!wants.has(asTaskKey(key))) news.delete(key);
      for (const key of wants) {
        const state = machine.stateOf(key);
        const told = news.get(key);
        if (this.#isRestarted && state === 'awaited') continue;
        const isTold =
          state === 'memory'
            ? told === 'key-in-memory'
            : state === 'erred'
              ? told === 'key-erred'
              : told !== 'key-in-memory' && told !== 'key-erred' && state !== 'forgotten';
        if (!isTold)
          found.push(`${clientId} wants ${key}, which is ${state}, and was told ${told ?? 'nothing'}`);
      }
    }
    for (const worker of machine.listWorkers()) {
      for (const { key } of machine.hasWhat(worker.workerId) ?? []) {
        if (!this.storeOf(worker.workerId).has(key)) found.push(`${worker.workerId} is said to hold ${key}`);
      }
    }
    return found;
  }

  /** Values in stores of registered workers that the machine does not know of: they would never be freed. */
  leaks(machine: SchedulerMachine): string[] {
    const found: string[] = [];
    for (const [workerId, store] of this.#stores) {
      const known = machine.hasWhat(asWorkerId(workerId));
      if (known === undefined) continue;
      const keys = new Set(known.map((holding) => holding.key));
      for (const key of store) if (!keys.has(asTaskKey(key))) found.push(`${key} on ${workerId}`);
    }
    return found;
  }

  #hearWorker(workerId: string, message: SchedulerToWorker): void {
    if (message.type === 'free-keys') for (const key of message.keys) this.storeOf(workerId).delete(key);
    if (message.type !== 'compute-task') return;
    const { spec, runId, dependencies } = message;
    this.#lastRun.set(spec.key, runId);
    const limitBytes = this.#limits.get(workerId) ?? false;
    const inputBytes = dependencies.reduce((sum, { nbytes }) => sum + nbytes, 0);
    if (limitBytes !== false && inputBytes > limitBytes)
      this.#tooLarge.push(`${workerId} of ${limitBytes} bytes is to run ${spec.key} on ${inputBytes}`);
    if (message.evenIfPaused !== true) return;
    const store = this.storeOf(workerId);
    const missing = dependencies.map(({ key }) => key).filter((key) => !store.has(key));
    this.#draining.set(spec.key, { workerId, runId, missing });
  }

  /** One task at a time is run on a paused worker, which fetches nothing. */
  #drainingTrouble(machine: SchedulerMachine): string[] {
    const found: string[] = [];
    for (const [key, { workerId, runId, missing }] of this.#draining) {
      if (machine.stateOf(asTaskKey(key)) !== 'processing' || this.#lastRun.get(key) !== runId)
        this.#draining.delete(key);
      else if (missing.length > 0) found.push(`${workerId} is to run ${key} without ${missing.join(', ')}`);
    }
    if (this.#draining.size > 1) found.push(`${[...this.#draining.keys()].join(', ')} drain at once`);
    return found;
  }

  #newsOf(clientId: string): Map<string, string> {
    const news = this.#news.get(clientId) ?? new Map<string, string>();
    this.#news.set(clientId, news);
    return news;
  }
}
