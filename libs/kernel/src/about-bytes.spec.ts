import { aboutBytes } from './about-bytes.js';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '0.977 KiB'],
  [91_701_248, '87.5 MiB'],
  [512 * 1024 ** 2, '512 MiB'],
  [1023 * 1024 ** 2, '0.999 GiB'],
  [-3 * 1024 ** 2, '-3 MiB'],
  [5e18, '4440 PiB'],
])('%d bytes are about %s', (bytes, text) => {
  expect(aboutBytes(bytes)).toBe(text);
});
