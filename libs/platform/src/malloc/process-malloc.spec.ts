import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findJemalloc } from './find-jemalloc.js';
import type { GlibcCalls } from './glibc-calls.js';
import type { HoardReport } from './hoarding-child.spec-d.js';
import { preloadVariables } from './preload.js';
import { GlibcMalloc } from './process-malloc.js';

const MiB = 2 ** 20;

/** glibc as the test wants it: what is free, how long asking takes, and trims that end when told to. */
class FakeGlibc implements GlibcCalls {
  nowMs = 0;
  processBytes = 100 * MiB;
  freeNowBytes = 0;
  askingTakesMs = 0;
  asked = 0;
  loads = 0;
  readonly trims: { readonly end: () => void; readonly fail: () => void }[] = [];
  readonly malloc = new GlibcMalloc({
    clock: { nowMs: () => this.nowMs },
    processBytes: () => this.processBytes,
    load: () => {
      this.loads++;
      return this;
    },
  });

  freeBytes(): number {
    this.asked++;
    this.nowMs += this.askingTakesMs;
    return this.freeNowBytes;
  }

  trim(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.trims.push({ end: resolve, fail: () => reject(new Error('queue full')) });
    });
  }
}

test('nothing is loaded before the process has grown', () => {
  const glibc = new FakeGlibc();
  glibc.processBytes += 31 * MiB;
  expect(glibc.malloc.freeBytes()).toBeUndefined();
  expect(glibc.loads).toBe(0);

  glibc.processBytes += MiB;
  glibc.freeNowBytes = 7 * MiB;
  expect(glibc.malloc.freeBytes()).toBe(7 * MiB);
  glibc.processBytes = MiB;
  expect(glibc.malloc.freeBytes()).toBe(7 * MiB);
  expect(glibc.loads).toBe(1);
});

test('asking takes at most a hundredth of the time; meanwhile the last answer counts', () => {
  const glibc = new FakeGlibc();
  glibc.processBytes += 100 * MiB;
  glibc.askingTakesMs = 4;
  glibc.freeNowBytes = 10;
  expect(glibc.malloc.freeBytes()).toBe(10);

  glibc.freeNowBytes = 20;
  glibc.nowMs += 395;
  expect(glibc.malloc.freeBytes()).toBe(10);
  glibc.nowMs += 1;
  expect(glibc.malloc.freeBytes()).toBe(20);
  expect(glibc.asked).toBe(2);
});

test('nobody asks while a trim holds the locks, and right after it anybody may', async () => {
  const glibc = new FakeGlibc();
  glibc.processBytes += 100 * MiB;
  glibc.askingTakesMs = 4;
  glibc.freeNowBytes = 10;
  glibc.malloc.freeBytes();
  glibc.nowMs += 10_000;
  const trimmed = glibc.malloc.trim();
  glibc.freeNowBytes = 5;
  expect(glibc.malloc.freeBytes()).toBe(10);

  glibc.trims[0]?.end();
  expect(await trimmed).toBe(true);
  expect(glibc.malloc.freeBytes()).toBe(5);
});

test('whoever wants a trim while one runs shares it; the next is a new one', async () => {
  const glibc = new FakeGlibc();
  const both = Promise.all([glibc.malloc.trim(), glibc.malloc.trim()]);
  expect(glibc.trims).toHaveLength(1);
  glibc.trims[0]?.end();
  expect(await both).toEqual([true, true]);

  const next = glibc.malloc.trim();
  expect(glibc.trims).toHaveLength(2);
  glibc.trims[1]?.fail();
  expect(await next).toBe(false);
});

test('a processor for which there is no koffi keeps its memory', async () => {
  let loads = 0;
  const malloc = new GlibcMalloc({
    clock: { nowMs: () => 0 },
    processBytes: () => loads * 100 * MiB,
    load: () => {
      loads++;
      throw new Error('Cannot find the native Koffi module');
    },
  });
  expect(await malloc.trim()).toBe(false);
  expect(malloc.freeBytes()).toBeUndefined();
  expect(loads).toBe(1);
});

/** Resolves once it is gone, and not before: it would outlive the suite. */
function runHoardingChild(environ: Readonly<Record<string, string>>): Promise<HoardReport> {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const child = fork(join(import.meta.dirname, 'hoarding-child.spec-d.ts'), [], {
    env: { PATH: process.env['PATH'], ...environ },
    execArgv: ['--import', tsx, '--conditions=@spillway/source'],
  });
  return new Promise((resolve, reject) => {
    let report: HoardReport | undefined;
    child.once('message', (message: HoardReport) => (report = message));
    // Not on `exit`: what it said may come after that.
    child.once('close', (code, signal) => {
      if (report !== undefined) resolve(report);
      else reject(new Error(`ended with ${code ?? signal ?? 'nothing'}`));
    });
  });
}

const ownLibcIsGlibc = (): boolean => {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
};

/** Where memory is real, and the machine may have other things to do. */
const PROCESS_TEST_MS = 60_000;

test(
  'a process that hoards gives it back',
  async () => {
    const { kind, hasTrimmed, freeBytes, beforeBytes, afterBytes } = await runHoardingChild({
      MALLOC_TRIM_THRESHOLD_: '65536',
      MALLOC_ARENA_MAX: '2',
    });
    expect(kind === 'glibc').toBe(ownLibcIsGlibc());
    expect(hasTrimmed).toBe(kind === 'glibc');
    expect((freeBytes ?? 0) > 100 * MiB).toBe(hasTrimmed);
    expect(beforeBytes - afterBytes > 60 * MiB).toBe(hasTrimmed);
  },
  PROCESS_TEST_MS,
);

test(
  'the peak of a process does not begin with that of its parent',
  async () => {
    const held = Buffer.alloc(256 * MiB, 1);
    const { firstPeakBytes } = await runHoardingChild({});
    expect(firstPeakBytes).toBeGreaterThan(0);
    expect(firstPeakBytes).toBeLessThan(held.length);
  },
  PROCESS_TEST_MS,
);

test(
  'under jemalloc nothing is trimmed, and where there is none the C library still is',
  async () => {
    const { platform, arch, env: environ } = process;
    const library = findJemalloc({ platform, arch, environ });
    const preload = library === undefined ? {} : preloadVariables(library, {}, platform);
    const { kind, hasTrimmed, freeBytes } = await runHoardingChild(preload);
    if (library === undefined) {
      expect(kind === 'glibc').toBe(ownLibcIsGlibc());
      expect(hasTrimmed).toBe(kind === 'glibc');
    } else {
      expect({ kind, hasTrimmed, freeBytes }).toEqual({
        kind: 'jemalloc',
        hasTrimmed: false,
        freeBytes: undefined,
      });
    }
  },
  PROCESS_TEST_MS,
);
