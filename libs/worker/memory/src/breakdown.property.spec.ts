import fc from 'fast-check';
import { breakDown, RollingMinimum } from './breakdown.js';

const anyNumber = fc.oneof(
  fc.double(),
  fc.maxSafeNat(),
  fc.integer(),
  fc.constantFrom(NaN, Infinity, -Infinity, -0),
);

test('the parts add up to process memory exactly, whatever was measured', () => {
  fc.assert(
    fc.property(anyNumber, anyNumber, anyNumber, anyNumber, (process, managed, old, hoarded) => {
      const parts = breakDown({
        processBytes: process,
        managedBytes: managed,
        unmanagedOldBytes: old,
        hoardedBytes: hoarded,
      });
      for (const bytes of Object.values(parts) as number[]) {
        expect(Number.isSafeInteger(bytes)).toBe(true);
        expect(bytes).toBeGreaterThanOrEqual(0);
      }
      const { processBytes, managedBytes, unmanagedOldBytes, unmanagedRecentBytes, hoardedBytes } = parts;
      expect(managedBytes + unmanagedOldBytes + unmanagedRecentBytes).toBe(processBytes);
      expect(hoardedBytes).toBeLessThanOrEqual(unmanagedOldBytes + unmanagedRecentBytes);
    }),
  );
});

test('process memory that was measured in whole bytes is reported as it is', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (processBytes, managedBytes) => {
      const parts = breakDown({ processBytes, managedBytes, unmanagedOldBytes: 0, hoardedBytes: 0 });
      expect(parts.processBytes).toBe(processBytes);
      expect(parts.managedBytes).toBe(Math.min(processBytes, managedBytes));
    }),
  );
});

test('the rolling minimum is the least sample of the window', () => {
  const samples = fc.array(fc.record({ afterMs: fc.nat(40), bytes: fc.nat(1000) }), { minLength: 1 });
  fc.assert(
    fc.property(samples, fc.integer({ min: 1, max: 100 }), (steps, windowMs) => {
      const minimum = new RollingMinimum(windowMs);
      const seen: { atMs: number; bytes: number }[] = [];
      let nowMs = 0;
      for (const { afterMs, bytes } of steps) {
        nowMs += afterMs;
        minimum.add(bytes, nowMs);
        seen.push({ atMs: nowMs, bytes });
        const recent = seen.filter(({ atMs }) => atMs >= nowMs - windowMs);
        expect(minimum.bytes).toBe(Math.min(...recent.map((sample) => sample.bytes)));
      }
    }),
  );
});
