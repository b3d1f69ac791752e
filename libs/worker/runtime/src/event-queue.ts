/**
 * Hands events over one at a time. Performing what one asks for can bring up the next (a task that starts uses values, which
 * the memory machine hears of): that one waits until all of the first has been performed, in order, as machines require.
 */
export class EventQueue<Event> {
  readonly #waiting: Event[] = [];
  #isBusy = false;

  /** `take`: lets a machine handle the event and performs its instructions. */
  constructor(private readonly take: (event: Event) => void) {}

  push(event: Event): void {
    this.#waiting.push(event);
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
        this.take(next);
    } finally {
      this.#isBusy = false;
    }
  }
}
