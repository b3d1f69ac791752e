/** With `validate` on: tells whether a task wrote into its inputs, which are shared and must not change. */
import type { Payload } from '@spillway/messages';
import { checksum } from '@spillway/values';

export class InputGuard {
  readonly #before: readonly bigint[];
  readonly #inputs: readonly Payload[];

  constructor(inputs: readonly Payload[]) {
    this.#inputs = inputs;
    this.#before = inputs.map(({ data }) => checksum(data));
  }

  /** Indexes of the dependencies whose bytes are not what they were. */
  changed(): number[] {
    return this.#inputs.flatMap(({ data }, index) => (checksum(data) === this.#before[index] ? [] : [index]));
  }
}
