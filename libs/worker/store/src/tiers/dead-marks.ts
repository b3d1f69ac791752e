/**
 * Has the disk note which records died in segments that are still there: all that died in one turn in one go, and all that
 * die while that is being done in the next, so that freeing many values costs little. What could not be noted is tried
 * again when the next record dies.
 */
import type { RecordPlaces, RecordPosition, SpillDisk } from '../disk/spill-disk.js';
import type { SegmentTable } from './segment-table.js';

type Place = Pick<RecordPosition, 'segment' | 'offset'>;

export class DeadMarks {
  #unmarked: Place[] = [];
  #marking: Promise<void> | undefined;

  constructor(
    private readonly disk: Pick<SpillDisk, 'markDead'>,
    private readonly table: Pick<SegmentTable, 'has'>,
  ) {}

  add(place: Place): void {
    this.#unmarked.push(place);
    this.#marking ??= this.#mark();
  }

  /** Resolves once what can be noted is. */
  async settled(): Promise<void> {
    await this.#marking;
  }

  async #mark(): Promise<void> {
    // Let what is going on come to its end: often the whole segment goes, and nothing has to be noted.
    await Promise.resolve();
    for (let places = this.#take(); places.length > 0; places = this.#take()) {
      if (await this.disk.markDead(bySegment(places))) continue;
      this.#unmarked = places.concat(this.#unmarked);
      break;
    }
    this.#marking = undefined;
  }

  #take(): Place[] {
    const places = this.#unmarked.filter(({ segment }) => this.table.has(segment));
    this.#unmarked = [];
    return places;
  }
}

function bySegment(places: readonly Place[]): RecordPlaces[] {
  const offsets = new Map<number, number[]>();
  for (const { segment, offset } of places) {
    const known = offsets.get(segment);
    if (known === undefined) offsets.set(segment, [offset]);
    else known.push(offset);
  }
  return Array.from(offsets, ([segment, list]) => ({ segment, offsets: Uint32Array.from(list) }));
}
