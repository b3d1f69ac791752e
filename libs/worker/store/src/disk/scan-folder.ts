/**
 * What a process that has died left in its spill folder, for a successor to adopt: every record that is whole and was not
 * noted as dead, the newest of each key. Contents are checked when they are first read.
 */
import { Buffer } from 'node:buffer';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asTaskKey, type TaskKey } from '@spillway/kernel';
import { CONTROL_MESSAGE_BYTES_MAX, type Encoding } from '@spillway/messages';
import { segmentOfName } from '../thread/segment-files.js';
import { deadListOf, readDead } from './dead-list.js';
import { readSegment, type FoundRecord } from './read-segment.js';
import type { RecordPosition } from './spill-disk.js';

export interface FoundValue {
  readonly key: TaskKey;
  readonly encoding: Encoding;
  readonly rawBytes: number;
  readonly position: RecordPosition;
}

export interface FoundInFolder {
  /** All there are. */
  readonly segments: readonly { readonly segment: number; readonly fileBytes: number }[];
  readonly values: readonly FoundValue[];
  /** Live records that are not to be adopted: older ones of a key, and those that would be too many. */
  readonly surplus: readonly Pick<RecordPosition, 'segment' | 'offset'>[];
}

/** The successor announces what it adopts in one message. */
const ANNOUNCED_BYTES_MAX = CONTROL_MESSAGE_BYTES_MAX * 0.75;
/** Of one key in that message, beside the key itself. */
const ANNOUNCED_BYTES_EACH = 16;

/**
 * Rejects when the folder cannot be listed; a segment that cannot be read counts as one in which nothing is live. Requires:
 * nobody writes there. `announcedBytesMax` bounds what is kept of it: where more was left, the oldest is left out.
 */
export async function scanSpillFolder(
  folder: string,
  announcedBytesMax = ANNOUNCED_BYTES_MAX,
): Promise<FoundInFolder> {
  const findings = new Findings(announcedBytesMax);
  const segments: { segment: number; fileBytes: number }[] = [];
  for (const { segment, path } of await segmentsIn(folder)) {
    const fileBytes = findings.isFull ? 0 : await scanSegment(segment, path, findings);
    segments.push({ segment, fileBytes });
  }
  return { segments, values: findings.values(), surplus: findings.surplus };
}

/** Newest first. */
async function segmentsIn(folder: string): Promise<{ segment: number; path: string }[]> {
  const names = await readdir(folder);
  return names
    .flatMap((name) => {
      const segment = segmentOfName(name);
      return segment === undefined ? [] : [{ segment, path: join(folder, name) }];
    })
    .toSorted((a, b) => b.segment - a.segment);
}

/** Returns how long the file is. */
async function scanSegment(segment: number, path: string, findings: Findings): Promise<number> {
  try {
    const dead = await readDead(deadListOf(path));
    const { fileBytes } = await readSegment(path, (record) => {
      if (!dead.has(record.offset)) findings.add(segment, record);
    });
    findings.endSegment();
    return fileBytes;
  } catch {
    findings.forgetSegment();
    return 0;
  }
}

/** Takes records segment by segment, newest segment first, and within a segment oldest record first. */
class Findings {
  readonly surplus: Pick<RecordPosition, 'segment' | 'offset'>[] = [];
  readonly #newer = new Map<string, FoundValue>();
  /** Of this segment, oldest first. */
  #here = new Map<string, FoundValue>();
  #announcedBytes = 0;
  #isFull = false;

  constructor(private readonly announcedBytesMax: number) {}

  /** Older segments add nothing. */
  get isFull(): boolean {
    return this.#isFull;
  }

  values(): FoundValue[] {
    return [...this.#newer.values()];
  }

  add(segment: number, { header, offset, recordBytes }: FoundRecord): void {
    const { key, encoding, codec, rawBytes } = header;
    if (this.#newer.has(key)) {
      this.surplus.push({ segment, offset });
      return;
    }
    this.#drop(this.#here.get(key));
    const position: RecordPosition = { segment, offset, recordBytes, codec, isAlone: false };
    this.#here.set(key, { key: asTaskKey(key), encoding, rawBytes, position });
    this.#announcedBytes += announcedBytesOf(key);
    while (this.#announcedBytes > this.announcedBytesMax) {
      this.#isFull = true;
      const [oldest] = this.#here.values();
      this.#drop(oldest);
    }
  }

  endSegment(): void {
    for (const [key, value] of this.#here) this.#newer.set(key, value);
    this.#here = new Map();
  }

  forgetSegment(): void {
    for (const key of this.#here.keys()) this.#announcedBytes -= announcedBytesOf(key);
    this.#here = new Map();
  }

  #drop(value: FoundValue | undefined): void {
    if (value === undefined) return;
    this.#here.delete(value.key);
    this.#announcedBytes -= announcedBytesOf(value.key);
    this.surplus.push({ segment: value.position.segment, offset: value.position.offset });
  }
}

const announcedBytesOf = (key: string): number => Buffer.byteLength(key) + ANNOUNCED_BYTES_EACH;
