/** Hourly temperatures of weather stations, how they go together, and a task that leaks. */

/** Made up from the station's number: a year's wave, a day's wave, and noise that is the same each time. */
export function readStation(station: number, hours: number): Float64Array {
  const temperatures = new Float64Array(hours);
  let state = (station + 1) * 2_654_435_761;
  for (let hour = 0; hour < hours; hour++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const year = 10 * Math.sin((2 * Math.PI * hour) / 8766 + station);
    const day = 5 * Math.sin((2 * Math.PI * hour) / 24);
    temperatures[hour] = 9 + year + day + (state / 2 ** 32 - 0.5) * 8;
  }
  return temperatures;
}

/** How two stations go together, the second so many hours later: from -1 to 1. */
export function correlate(a: Float64Array, b: Float64Array, lagHours: number): number {
  const count = a.length - lagHours;
  let [sumA, sumB, sumAB, sumAA, sumBB] = [0, 0, 0, 0, 0];
  for (let hour = 0; hour < count; hour++) {
    const [x, y] = [a[hour]!, b[hour + lagHours]!];
    sumA += x;
    sumB += y;
    sumAB += x * y;
    sumAA += x * x;
    sumBB += y * y;
  }
  const covariance = sumAB - (sumA * sumB) / count;
  return covariance / Math.sqrt((sumAA - sumA ** 2 / count) * (sumBB - sumB ** 2 / count));
}

const cache: Buffer[] = [];

/**
 * The leak: a cache that is filled by a timer and never emptied. The task returns at once, so there is nobody whom the
 * worker could end in its own thread, and what it leaves behind grows until the whole process goes.
 */
export function warmUpCache(bytesAtATime: number, everyMs: number): string {
  setInterval(() => cache.push(Buffer.alloc(bytesAtATime, 1)), everyMs);
  return 'warming up';
}
