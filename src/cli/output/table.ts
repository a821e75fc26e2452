import { printableLine } from './printable.ts';

const PADDING = 3;
const MIN_WIDTH = 10;

/** Columns as Docker prints them: left-aligned, three spaces between, none behind the last. Cells are one printable line each. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows].map((line) => line.map(printableLine));
  const widths = header.map((_, column) =>
    Math.max(MIN_WIDTH, ...lines.map((line) => displayWidth(line[column] ?? '') + PADDING)),
  );
  return lines
    .map((line) =>
      line.map((cell, column) => pad(cell, widths[column]!, column === line.length - 1)).join(''),
    )
    .join('\n');
}

function pad(cell: string, width: number, isLast: boolean): string {
  return isLast ? cell : cell + ' '.repeat(Math.max(width - displayWidth(cell), 0));
}

function displayWidth(cell: string): number {
  return [...cell].length;
}
