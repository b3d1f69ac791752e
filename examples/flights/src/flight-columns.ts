/** Some flights, column by column. Airports are numbered by their place in `airports`. */
export interface FlightColumns {
  readonly airports: readonly string[];
  /** Minutes since 2001-01-01. */
  readonly date: Int32Array;
  /** Minutes late; negative for early. */
  readonly delay: Int16Array;
  /** Miles. */
  readonly distance: Int16Array;
  readonly origin: Uint16Array;
  readonly destination: Uint16Array;
}

/** The flights at these rows, in that order. */
export function pickRows(flights: FlightColumns, rows: Uint32Array): FlightColumns {
  const pick = <C extends Int32Array | Int16Array | Uint16Array>(column: C): C => {
    const picked = new (column.constructor as new (length: number) => C)(rows.length);
    for (let i = 0; i < rows.length; i++) picked[i] = column[rows[i]!]!;
    return picked;
  };
  return {
    airports: flights.airports,
    date: pick(flights.date),
    delay: pick(flights.delay),
    distance: pick(flights.distance),
    origin: pick(flights.origin),
    destination: pick(flights.destination),
  };
}
