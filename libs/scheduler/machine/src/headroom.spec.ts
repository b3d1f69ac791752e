import { NO_READINGS, type MemoryReadings } from '@spillway/messages';
import { headroomBytes, type KnownMemory } from './headroom.js';

const POLICY = { targetFraction: 0.6, pauseFraction: 0.8 };

function room(readings: Partial<MemoryReadings>, memory: Partial<KnownMemory> = {}): number {
  const known = { memoryLimitBytes: 3_200, heldBytes: 0, heldBytesAtHeartbeat: 0, ...memory };
  return headroomBytes({ ...known, readings: { ...NO_READINGS, ...readings } }, POLICY);
}

test('before its first heartbeat a worker uses what it holds', () => {
  expect(room({}, { heldBytes: 300 })).toBe(2_900);
});

test('process memory counts without what is hoarded, and at least what is managed does', () => {
  expect(room({ processBytes: 1_500, hoardedBytes: 500 })).toBe(2_200);
  expect(room({ processBytes: 1_500, hoardedBytes: 1_500, managedBytes: 400 })).toBe(2_800);
});

test('spilled values take no room, and results since the heartbeat do', () => {
  const readings = { processBytes: 1_000, spilledBytes: 5_000 };
  expect(room(readings, { heldBytes: 5_800, heldBytesAtHeartbeat: 5_800 })).toBe(2_200);
  expect(room(readings, { heldBytes: 6_000, heldBytesAtHeartbeat: 5_800 })).toBe(2_000);
  expect(room(readings, { heldBytes: 0, heldBytesAtHeartbeat: 5_800 })).toBe(3_200);
});

test('readings that differ by noise are equal', () => {
  expect(room({ processBytes: 1_000 })).toBe(room({ processBytes: 1_099 }));
});

test('where the disk takes nothing, only what is left until the pause counts above target', () => {
  const spillRefusedBecause = 'disk-full';
  expect(room({ processBytes: 1_900, spillRefusedBecause })).toBe(1_300);
  expect(room({ processBytes: 2_000, spillRefusedBecause })).toBe(560);
  expect(room({ processBytes: 3_000, spillRefusedBecause })).toBe(0);
});

test('without a limit, whoever uses less has more', () => {
  const memoryLimitBytes = false;
  const mib = 1024 ** 2;
  expect(room({ processBytes: 100 * mib }, { memoryLimitBytes })).toBeGreaterThan(
    room({ processBytes: 200 * mib }, { memoryLimitBytes }),
  );
});
