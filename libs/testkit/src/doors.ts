/** Holds a moment still: code under test stops at a door until the test lets it through. No time is involved. */

export class Door {
  #isOpen = false;
  #arrivedCount = 0;
  #waiting: (() => void)[] = [];
  #watchers: { readonly count: number; readonly arrived: () => void }[] = [];

  /** For the code under test: goes on once the door is open, or it is let through. */
  pass(): Promise<void> {
    this.#arrivedCount++;
    const promise = this.#isOpen
      ? Promise.resolve()
      : new Promise<void>((resolve) => this.#waiting.push(resolve));
    const reached = this.#watchers.filter((watcher) => watcher.count <= this.#arrivedCount);
    this.#watchers = this.#watchers.filter((watcher) => watcher.count > this.#arrivedCount);
    for (const watcher of reached) watcher.arrived();
    return promise;
  }

  /** For the test: resolves once so many, in all, have come to the door. */
  arrived(count = 1): Promise<void> {
    if (this.#arrivedCount >= count) return Promise.resolve();
    return new Promise((resolve) => this.#watchers.push({ count, arrived: resolve }));
  }

  /** How many stand at the door. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Lets the one through that came first; nobody, when nobody is there. */
  letOneThrough(): void {
    this.#waiting.shift()?.();
  }

  /** Lets all through, now and later. */
  open(): void {
    this.#isOpen = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const goOn of waiting) goOn();
  }

  /** From now on whoever comes has to wait. */
  close(): void {
    this.#isOpen = false;
  }
}
