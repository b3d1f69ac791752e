/**
 * Body of the spill thread: does what it is told to the files of one folder, synchronously, so that neither the control
 * loop nor the pool of libuv ever waits for the disk. Notes of the dead go first, since they are short and until then a
 * successor would take these records for live; then reads: between any two slices of a write, and before every write,
 * delete and copy, which keep their order among themselves.
 */
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { types } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { assertNever, must } from '@spillway/kernel';
import {
  formatOwner,
  IsolateGarbage,
  OWNER_BEAT_MS,
  OWNER_FILE,
  systemClock,
  systemTimers,
  thisProcess,
} from '@spillway/platform';
import { CompressionChoice, Throughput } from '../disk/compression-choice.js';
import { readFailure } from '../disk/failure.js';
import type { ReadBack, ValueToWrite } from '../disk/spill-disk.js';
import { Tally } from '../disk/tally.js';
import { Fifo } from './fifo.js';
import { unpack } from './pack.js';
import { RecordCopier } from './record-copier.js';
import { RecordReader } from './record-reader.js';
import { RecordWriter } from './record-writer.js';
import { SegmentFiles } from './segment-files.js';
import {
  packPositions,
  type FromSpillThread,
  type SpillThreadSettings,
  type ToSpillThread,
} from './thread-protocol.js';

const MIB = 1024 * 1024;
/** Nothing is said of the disk's speed before so much was written; what lies further back fades. */
const SPEED_BYTES_MIN = 16 * MIB;
const SPEED_WINDOW_BYTES = 256 * MIB;

type ReadJob = Extract<ToSpillThread, { type: 'read' }>;
type MarkJob = Extract<ToSpillThread, { type: 'mark-dead' }>;
type OrderedJob = Exclude<ToSpillThread, { type: 'read' | 'mark-dead' | 'collect' }>;

/** Call as the only statement of the thread's entry file. Requires: started by `SpillThread`. */
export function runSpillThread(): void {
  const port = must(parentPort ?? undefined, 'parent port: runSpillThread runs in a worker thread only');
  const settings = workerData as SpillThreadSettings;
  const body = new SpillThreadBody(settings, (messages) => port.postMessage(messages));
  port.on('message', (messages: readonly ToSpillThread[]) => {
    for (const message of messages) body.handle(message);
  });
  beat(settings);
}

/** Reads of one turn: what is written meanwhile, and whoever waits for the first of them, shall not wait for long. */
const READ_COUNT_MAX = 64;
const READ_BYTES_MAX = 4 * MIB;
/** Shared buffers that were let go of here; at more of them this isolate collects. */
const DROPPED_BYTES_MAX = 64 * MIB;

class SpillThreadBody {
  readonly #files: SegmentFiles;
  readonly #reader: RecordReader;
  readonly #writer: RecordWriter;
  readonly #copier: RecordCopier;
  readonly #garbage = new IsolateGarbage({ clock: systemClock, timers: systemTimers });
  #droppedBytes = 0;
  readonly #marks = new Fifo<MarkJob>();
  readonly #reads = new Fifo<ReadJob>();
  readonly #ordered = new Fifo<OrderedJob>();
  /** What the first of `#ordered` still has to do. */
  #underWay: Iterator<undefined, undefined> | undefined;
  #isScheduled = false;
  /** Answers of this turn. */
  #answers: FromSpillThread[] = [];

  constructor(
    settings: SpillThreadSettings,
    private readonly send: (messages: readonly FromSpillThread[]) => void,
  ) {
    const tally = new Tally(settings.tally);
    const diskSpeed = new Throughput(SPEED_BYTES_MIN, SPEED_WINDOW_BYTES);
    this.#files = new SegmentFiles(settings.folder, () => restoreFolder(settings));
    const fdOf = (segment: number): number => this.#files.fdOf(segment);
    const compression = new CompressionChoice(settings.compression, diskSpeed, () => performance.now());
    this.#reader = new RecordReader(fdOf, tally);
    this.#writer = new RecordWriter({ files: this.#files, compression, diskSpeed, tally });
    this.#copier = new RecordCopier(this.#files, tally);
  }

  handle(message: ToSpillThread): void {
    if (message.type === 'read') this.#reads.push(message);
    else if (message.type === 'mark-dead') this.#marks.push(message);
    else if (message.type === 'collect')
      void this.#collect().then(() => this.send([{ type: 'collected', id: message.id }]));
    else this.#ordered.push(message);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#marks.size + this.#reads.size + this.#ordered.size === 0) return;
    this.#isScheduled = true;
    // A little each turn: messages that arrive meanwhile get their say.
    setImmediate(() => {
      this.#isScheduled = false;
      this.#step();
      this.#flush();
      this.#schedule();
    });
  }

  #step(): void {
    const mark = this.#marks.shift();
    if (mark !== undefined) this.#markDead(mark);
    else if (this.#reads.size > 0) this.#readSome();
    else this.#continueOrdered();
  }

  #markDead({ id, records }: MarkJob): void {
    const noted = records.map((places) => this.#files.markDead(places));
    this.#answer({ type: 'marked', id, isNoted: !noted.includes(false) });
  }

  #readSome(): void {
    let bytes = 0;
    for (let count = 0; count < READ_COUNT_MAX && bytes < READ_BYTES_MAX; count++) {
      const job = this.#reads.shift();
      if (job === undefined) return;
      bytes += job.position.recordBytes;
      this.#read(job);
    }
  }

  #continueOrdered(): void {
    const job = this.#ordered.peek();
    if (job === undefined) return;
    this.#underWay ??= this.#perform(job);
    if (this.#underWay.next().done !== true) return;
    this.#underWay = undefined;
    this.#ordered.shift();
  }

  #answer(message: FromSpillThread): void {
    this.#answers.push(message);
  }

  #flush(): void {
    const answers = this.#answers;
    this.#answers = [];
    if (answers.length > 0) this.send(answers);
  }

  *#perform(job: OrderedJob): Generator<undefined, undefined> {
    switch (job.type) {
      case 'write-small':
        this.#writeSmall(job);
        return;
      case 'write-large':
        this.#answer({ type: 'written', id: job.id, results: [yield* this.#writer.writeLarge(job.value)] });
        this.#dropped(job.value.payload.data);
        return;
      case 'copy':
        this.#answer({ type: 'written', id: job.id, results: yield* this.#copier.copy(job.positions) });
        return;
      case 'seal':
        this.#files.seal(job.segment);
        return;
      case 'delete':
        this.#files.delete(job.segment);
        return;
      case 'close':
        this.#files.close();
        this.#answer({ type: 'closed', id: job.id });
        return;
      default:
        assertNever(job, 'message to the spill thread');
    }
  }

  #writeSmall({ id, values }: Extract<ToSpillThread, { type: 'write-small' }>): void {
    const results = this.#writer.writeSmall(unpack(values));
    const positions = packPositions(results);
    this.#answer(
      positions === undefined ? { type: 'written', id, results } : { type: 'packed', id, positions },
    );
  }

  #read({ id, key, position }: ReadJob): void {
    const result = this.#readBack(key, position);
    this.#answer({ type: 'read-back', id, result });
    if (result.ok) this.#dropped(result.payload.data);
  }

  #readBack(key: ValueToWrite['key'], position: ReadJob['position']): ReadBack {
    try {
      return { ok: true, payload: this.#reader.read(key, position) };
    } catch (error) {
      return { ok: false, ...readFailure(error) };
    }
  }

  #dropped(data: Uint8Array): void {
    if (types.isSharedArrayBuffer(data.buffer)) this.#droppedBytes += data.byteLength;
    if (this.#droppedBytes > DROPPED_BYTES_MAX) void this.#collect();
  }

  /** This thread sees every value that is written or read; its own heap is small, which makes collecting cheap. */
  async #collect(): Promise<void> {
    this.#droppedBytes = 0;
    await this.#garbage.ask();
  }
}

/** Says again and again that the owner of the folder lives, for those who cannot look up its process. */
function beat(settings: SpillThreadSettings): void {
  const ownerFile = join(settings.folder, OWNER_FILE);
  const timer = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(ownerFile, now, now);
    } catch {
      restoreFolder(settings);
    }
  }, OWNER_BEAT_MS);
  timer.unref();
}

/** With its owner file: a folder without one passes for a dead owner's after a while. */
function restoreFolder({ folder, leavesTo }: SpillThreadSettings): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, OWNER_FILE), formatOwner(thisProcess(leavesTo)), { mode: 0o600 });
  } catch {
    // Whoever wants to write there meets the same obstacle, and reports it.
  }
}
