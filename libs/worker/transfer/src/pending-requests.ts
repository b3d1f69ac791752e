import { InvariantError } from '@spillway/kernel';

interface Waiting<Answer> {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** Requests to the other thread that have not been answered yet, by number. */
export class PendingRequests<Answer> {
  readonly #waiting = new Map<number, Waiting<Answer>>();
  #lastId = 0;

  get count(): number {
    return this.#waiting.size;
  }

  /** Asks and waits. `ask` gets the number to put into the request. */
  request(ask: (id: number) => void): Promise<Answer> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      ask(id);
    });
  }

  resolve(id: number, answer: Answer): void {
    this.#take(id).resolve(answer);
  }

  reject(id: number, error: Error): void {
    this.#take(id).reject(error);
  }

  /** Answers everything that waits, in order. */
  resolveAll(answer: Answer): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiting of all) waiting.resolve(answer);
  }

  #take(id: number): Waiting<Answer> {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) throw new InvariantError(`Nobody waits for answer ${id}`);
    this.#waiting.delete(id);
    return waiting;
  }
}
