import type { Timers } from '@spillway/ports';
import { GrowthWatch, type BusyWith } from '@spillway/worker-memory';
import { GrowthMonitor } from './growth-monitor.js';

/** A process of the test's size, whose time is the test's. */
class Rig {
  nowMs = 0;
  processBytes = 0;
  busyWith: readonly BusyWith[] = [{ runId: 1, sinceMs: 0 }];
  readonly done: string[] = [];
  /** What is to happen when, if it was not taken back. */
  due: { atMs: number; call: () => void } | undefined;

  readonly monitor = new GrowthMonitor(
    {
      growthWatch: new GrowthWatch({
        limitBytes: 1000,
        runawayFraction: 0.9,
        guiltyFraction: 0.25,
        terminateFraction: 0.95,
        growthBytesPerMs: 1,
      }),
      clock: { nowMs: () => this.nowMs },
      timers: this.#timers(),
      ownMemory: {
        read: () => ({ processBytes: this.processBytes, processPeakBytes: 0, heapUnusedBytes: 0 }),
      },
      monitorIntervalMs: 200,
    },
    {
      busyWith: () => this.busyWith,
      collectGarbage: () => this.done.push('collect'),
      endTask: (slot, processBytes, limitBytes) =>
        this.done.push(`end ${slot} at ${processBytes} of ${limitBytes}`),
    },
  );

  /** Lets time pass to the next look, with process memory grown by then. */
  nextLook(processBytes: number): void {
    this.processBytes = processBytes;
    this.nowMs = this.due!.atMs;
    this.due!.call();
  }

  #timers(): Timers {
    const after: Timers['after'] = (delayMs, call) => {
      const due = { atMs: this.nowMs + delayMs, call };
      this.due = due;
      return { cancel: () => (this.due = this.due === due ? undefined : this.due) };
    };
    const unused = (): never => {
      throw new Error('not to be used');
    };
    return { after, every: unused, soon: unused };
  }
}

test('between two samples it looks by itself, collects at the line, and ends the task before the nanny ends the process', () => {
  const rig = new Rig();
  rig.monitor.onSample(600, rig.busyWith);
  expect(rig.due?.atMs).toBe(150);
  rig.nextLook(890);
  expect(rig.due?.atMs).toBe(160);
  rig.nextLook(905);
  expect(rig.done).toEqual(['collect']);
  rig.nextLook(930);
  expect(rig.done).toEqual(['collect', 'end 0 at 930 of 1000']);
});

test('with nothing running, or far from the line, the samples are enough; after stop it looks no more', () => {
  const rig = new Rig();
  rig.monitor.onSample(100, rig.busyWith);
  expect(rig.due).toBeUndefined();
  rig.monitor.onSample(850, [undefined]);
  expect(rig.due).toBeUndefined();
  rig.monitor.onSample(850, rig.busyWith);
  rig.monitor.stop();
  expect(rig.due).toBeUndefined();
});
