/** Results for people: a table on the terminal. */
import type { LabRow } from './row.ts';

/** Prints the rows under their columns. */
export function printRows(rows: readonly LabRow[]): void {
  const cells = rows.map(({ part, what, got, must, ok }) => [part, what, got, must ?? '–', ok === null ? '–' : ok ? 'yes' : 'NO']);
  const lines = [['part', 'what', 'got', 'must', 'ok'], ...cells];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  for (const line of lines) {
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
}
