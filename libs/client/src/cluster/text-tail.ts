/** The last of a text that comes in pieces. */
export class TextTail {
  #text = '';

  constructor(private readonly lengthMax: number) {}

  get text(): string {
    return this.#text;
  }

  add(piece: string): void {
    this.#text = (this.#text + piece).slice(-this.lengthMax);
  }
}
