import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { FlightColumns } from './flight-columns.js';

const FIRST_DAY_MS = Date.UTC(2001, 0, 1);
const MINUTE_MS = 60_000;

/** How many row groups the file has. */
export async function countRowGroups(path: string): Promise<number> {
  const metadata = await parquetMetadataAsync(await asyncBufferFromFile(path));
  return metadata.row_groups.length;
}

/** Reads one row group of the flights file into columns. */
export async function readRowGroup(path: string, group: number): Promise<FlightColumns> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const sizes = metadata.row_groups.map(({ num_rows }) => Number(num_rows));
  const rowStart = sizes.slice(0, group).reduce((sum, size) => sum + size, 0);
  const rowCount = sizes[group];
  if (rowCount === undefined)
    throw new RangeError(`${path} has ${sizes.length} row groups, there is no group ${group}`);

  const numbers = new AirportNumbers();
  const columns = {
    date: new Int32Array(rowCount),
    delay: new Int16Array(rowCount),
    distance: new Int16Array(rowCount),
    origin: new Uint16Array(rowCount),
    destination: new Uint16Array(rowCount),
  };
  const convert: Record<keyof typeof columns, (cell: never) => number> = {
    date: (cell: Date) => (cell.getTime() - FIRST_DAY_MS) / MINUTE_MS,
    delay: (cell: bigint) => Number(cell),
    distance: (cell: bigint) => Number(cell),
    origin: (cell: string) => numbers.of(cell),
    destination: (cell: string) => numbers.of(cell),
  };
  // One column after the other: the cells of a column are garbage before the next is read.
  for (const name of Object.keys(columns) as (keyof typeof columns)[])
    await parquetRead({
      file,
      metadata,
      compressors,
      columns: [name],
      rowStart,
      rowEnd: rowStart + rowCount,
      onChunk: ({ columnData, rowStart: chunkStart }) => {
        const column = columns[name];
        for (let i = 0; i < columnData.length; i++) {
          const row = chunkStart + i - rowStart;
          if (row >= 0 && row < rowCount) column[row] = convert[name](columnData[i] as never);
        }
      },
    });
  return { airports: numbers.airports, ...columns };
}

/** Numbers airports in the order they are first seen. */
export class AirportNumbers {
  readonly airports: string[] = [];
  readonly #numbers = new Map<string, number>();

  of(airport: string): number {
    let number = this.#numbers.get(airport);
    if (number === undefined) {
      number = this.airports.length;
      this.airports.push(airport);
      this.#numbers.set(airport, number);
    }
    return number;
  }
}
