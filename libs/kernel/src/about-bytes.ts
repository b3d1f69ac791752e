const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** For people, who do not read it back: at most three digits, in binary units (`1.21 GiB`). */
export function aboutBytes(bytes: number): string {
  let count = Math.abs(bytes);
  let power = 0;
  while (count >= 999.5 && power < UNITS.length - 1) {
    count /= 1024;
    power += 1;
  }
  return `${bytes < 0 ? '-' : ''}${Number(count.toPrecision(3))} ${UNITS[power] ?? ''}`;
}
