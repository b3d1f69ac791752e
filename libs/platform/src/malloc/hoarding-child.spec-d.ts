/** A process for specs: it hoards memory, as a worker does after many small buffers, and gives it back. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ownMemory } from '../process-memory.js';
import { processMalloc } from './process-malloc.js';

export interface HoardReport {
  readonly kind: string;
  /** Most process memory when it began. */
  readonly firstPeakBytes: number;
  readonly hasTrimmed: boolean;
  /** As its allocator counted it before the trim. */
  readonly freeBytes: number | undefined;
  readonly beforeBytes: number;
  readonly afterBytes: number;
}

const BUFFERS = 150_000;
/** Most of what the buffers took. */
const HOARD_BYTES = 100 * 2 ** 20;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const malloc = processMalloc();

/** One in a thousand stays, so that no page range of the arena's end can go back by itself. */
function hoard(): readonly Buffer[] {
  const all = Array.from({ length: BUFFERS }, () => Buffer.allocUnsafeSlow(900).fill(1));
  return all.filter((_, index) => index % 1000 === 0);
}

async function report(): Promise<HoardReport> {
  const { processPeakBytes: firstPeakBytes } = ownMemory.read();
  const kept = hoard();
  // V8 frees what it collected in the background: until malloc has it all, which only glibc tells of.
  do {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  } while (malloc.kind === 'glibc' && (malloc.freeBytes() ?? 0) < HOARD_BYTES);
  const freeBytes = malloc.freeBytes();
  const beforeBytes = ownMemory.read().processBytes;
  const [hasTrimmed] = await Promise.all([malloc.trim(), malloc.trim()]);
  const afterBytes = ownMemory.read().processBytes;
  // Until here they have to live.
  kept.at(0);
  return { kind: malloc.kind, firstPeakBytes, hasTrimmed, freeBytes, beforeBytes, afterBytes };
}

process.send?.(await report());
process.disconnect();
