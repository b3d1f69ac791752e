/** Files open for reading: opening one for each read would cost more than reading a small value. */
import { closeSync, openSync } from 'node:fs';

const OPEN_MAX = 64;

export class OpenFiles {
  /** Oldest use first. */
  readonly #fds = new Map<number, number>();
  /** Open until closed by name: they could not be opened again. */
  readonly #kept = new Map<number, number>();

  constructor(private readonly pathOf: (segment: number) => string) {}

  fdOf(segment: number): number {
    const kept = this.#kept.get(segment);
    if (kept !== undefined) return kept;
    const fd = this.#fds.get(segment) ?? openSync(this.pathOf(segment), 'r');
    this.#fds.delete(segment);
    this.#fds.set(segment, fd);
    if (this.#fds.size > OPEN_MAX) this.close(this.#fds.keys().next().value ?? segment);
    return fd;
  }

  keep(segment: number, fd: number): void {
    this.#kept.set(segment, fd);
  }

  close(segment: number): void {
    for (const files of [this.#fds, this.#kept]) {
      const fd = files.get(segment);
      if (fd !== undefined) closeSync(fd);
      files.delete(segment);
    }
  }

  closeAll(): void {
    for (const segment of [...this.#fds.keys(), ...this.#kept.keys()]) this.close(segment);
  }
}
