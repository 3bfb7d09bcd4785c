/** Columns of a table and their types: rows go to PostgreSQL as one array for each column. */
export type Columns = Readonly<Record<string, string>>;

/**
 * What `FROM` takes instead of a table: its columns are those of `x`.
 *
 * @param before parameters that the statement has before these
 */
export function unnested(columns: Columns, before = 0): string {
  const arrays = Object.values(columns).map((type, i) => `$${before + i + 1}::${type}[]`);
  return `unnest(${arrays.join(', ')}) AS x (${Object.keys(columns).join(', ')})`;
}

/** The parameters that belong to it; what a row has not is NULL. */
export function arraysOf(columns: Columns, rows: readonly Readonly<Record<string, unknown>>[]): unknown[][] {
  return Object.keys(columns).map((column) => rows.map((row) => row[column] ?? null));
}
