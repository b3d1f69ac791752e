import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Where `vega-datasets` keeps 3,000,000 real US flights of 2001. Its `exports` do not name data files. */
export function flightsPath(): string {
  const entry = createRequire(import.meta.url).resolve('vega-datasets');
  return join(dirname(entry), '..', 'data', 'flights-3m.parquet');
}
