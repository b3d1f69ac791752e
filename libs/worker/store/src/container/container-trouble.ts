/** Tells of a container that fails: once for each kind of operation, until that kind has worked again. */

export type ContainerOperation = 'set' | 'get' | 'delete' | 'evict' | 'close';

export interface ContainerTroubleReport {
  readonly operation: ContainerOperation;
  /** What happened, to what, what became of the data, and what to do. */
  readonly message: string;
  /** What the container rejected with, where it did. */
  readonly cause: unknown;
}

const CONSEQUENCES: Readonly<Record<ContainerOperation, string>> = {
  set: 'Values that it does not take stay in memory',
  get: 'The value is lost, and computed again where that can be',
  delete: 'The value stays behind in the container',
  evict: 'Values stay in memory',
  close: 'What it holds may stay behind',
};

export class ContainerTrouble {
  readonly #reported = new Set<ContainerOperation>();

  constructor(private readonly onTrouble: (report: ContainerTroubleReport) => void) {}

  /** `what`: as in "did not take k-1", behind "The container of this worker's values". */
  failed(operation: ContainerOperation, what: string, cause: unknown): void {
    if (this.#reported.has(operation)) return;
    this.#reported.add(operation);
    const said = cause instanceof Error ? cause.message : String(cause);
    const message = `The container of this worker's values ${what}: ${said}. ${CONSEQUENCES[operation]}. Look at what it writes to (worker.data).`;
    this.onTrouble({ operation, message, cause });
  }

  worked(operation: ContainerOperation): void {
    this.#reported.delete(operation);
  }
}
