import * as fc from 'fast-check';
import { copySections, Sections } from './sections.js';

it('places every view on its own bytes, aligned as it was, however views overlap', () => {
  const buffer = new Uint8Array(256).map((_, index) => index).buffer;
  const ranges = fc.array(fc.tuple(fc.nat(200), fc.nat(56)), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(ranges, fc.nat(100), (spans, startBytes) => {
      const sections = new Sections();
      const views = spans.map(([start, size]) => new Uint8Array(buffer, start, size));
      views.forEach((view) => sections.addView(view));
      const placement = sections.place(startBytes);
      const target = new Uint8Array(placement.endBytes);
      copySections(placement, target);
      placement.views.forEach(({ offsetBytes, sizeBytes }, index) => {
        const view = views[index]!;
        expect(target.subarray(offsetBytes, offsetBytes + sizeBytes)).toEqual(view);
        expect(offsetBytes).toBeGreaterThanOrEqual(startBytes);
        expect(offsetBytes % 16).toBe(view.byteOffset % 16);
      });
    }),
  );
});

it('copies nothing of a buffer but what views cover', () => {
  const sections = new Sections();
  const bytes = new Uint8Array(1000).fill(1);
  for (const view of [bytes.subarray(3, 5), bytes.subarray(5, 7), bytes.subarray(900, 901)])
    sections.addView(view);
  const placement = sections.place(0);
  const target = new Uint8Array(placement.endBytes);
  copySections(placement, target);
  expect(target.reduce((sum, byte) => sum + byte, 0)).toBe(5);
});
