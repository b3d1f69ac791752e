/**
 * The disk that workers spill to: a folder of its own, on a small file system in memory where this user may mount one. Then
 * it can be full; else the workers get a bound on what they spill (`worker.memory.max-spill`), and are refused for that.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const SIZE_MIB = 512;
/** Without a mount: what each worker may spill. Low enough to be met. */
const MAX_SPILL = '48 MiB';
const BALLAST_PIECE = Buffer.alloc(1024 * 1024, 7);

export class SpillDisk {
  readonly folder: string;
  readonly isMounted: boolean;
  /** Settings of the workers that go with it. */
  readonly settings: Readonly<Record<string, string>>;

  constructor(temp: string) {
    this.folder = join(temp, 'spill');
    mkdirSync(this.folder);
    this.isMounted = mount(this.folder);
    this.settings = this.isMounted
      ? { 'worker.memory.spill-on-tmpfs': 'true' }
      : { 'worker.memory.max-spill': MAX_SPILL };
  }

  get description(): string {
    return this.isMounted
      ? `a tmpfs of ${SIZE_MIB} MiB for all workers`
      : `a folder, with worker.memory.max-spill = ${MAX_SPILL} (no file system can be mounted here, so "the disk is full" does nothing)`;
  }

  /** Takes all the room there is; says how much that was, in bytes. */
  fill(): number {
    if (!this.isMounted) return 0;
    const file = openSync(this.#ballast, 'w');
    let written = 0;
    try {
      for (;;) written += writeSync(file, BALLAST_PIECE);
    } catch {
      // No space left: that is what it was for.
      return written;
    } finally {
      closeSync(file);
    }
  }

  empty(): void {
    rmSync(this.#ballast, { force: true });
  }

  /** Files that are left there, once everybody has closed: nannies remove what their workers had. */
  leftovers(): readonly string[] {
    return readdirSync(this.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => `the file ${name}, among what was spilled`);
  }

  /** Twice is harmless. */
  remove(): void {
    if (this.isMounted) {
      try {
        execFileSync('umount', [this.folder], { stdio: 'ignore' });
      } catch {
        // Not mounted any more.
      }
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #ballast(): string {
    return join(this.folder, 'ballast');
  }
}

function mount(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m`, 'spillway-chaos', folder], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}
