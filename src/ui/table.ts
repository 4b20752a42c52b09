import Table from 'cli-table3';
import { toTerminalText } from './terminal-text.ts';

const noBorders = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' },
};

/** Rows as columns without borders, under an optional head; cells may be coloured. */
export function toTable(rows: readonly (readonly string[])[], head: readonly string[] = []): string {
  const table = new Table({
    chars: noBorders,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  // Characters that are removed when printed must not count for the width.
  const toCells = (row: readonly string[]) => row.map((cell) => toTerminalText(cell, { colors: true }));
  table.push(...[head, ...rows].filter((row) => row.length > 0).map(toCells));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
