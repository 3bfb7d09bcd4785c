/** What is longer is prose in a table, not data. */
const MAX_CELL_CHARS = 40;

/** A row of a Markdown table as a sentence: `North: Width 40 m, Depth 3 m`. */
export function tableRows(text: string): string[] {
  const rows: string[] = [];
  let header: string[] | undefined;
  for (const line of text.split('\n')) {
    const cells = cellsOf(line);
    if (!cells) header = undefined;
    else if (!header) header = cells;
    else if (!cells.every((cell) => /^:?-+:?$/.test(cell))) rows.push(rowText(header, cells));
  }
  return rows.filter((row) => row !== '');
}

function cellsOf(line: string): string[] | undefined {
  const trimmed = line.trim();
  if (!/^\|.*\|$/.test(trimmed) || trimmed.length > 2_000) return undefined;
  return trimmed
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.replace(/[*`]/g, '').trim());
}

function rowText(header: readonly string[], [label = '', ...cells]: readonly string[]): string {
  const values = cells.flatMap((cell, i) =>
    cell === '' || cell.length > MAX_CELL_CHARS ? [] : [`${header[i + 1] ?? ''} ${cell}`.trim()],
  );
  return values.length === 0 ? '' : `${label}: ${values.join(', ')}`;
}
