import type { CST } from 'yaml';

/**
 * Returns a function that receives the parser's tokens one by one and returns how deeply the parser will nest: never
 * less than it does, in block style up to about twice as much. Invalid text counts too, since the parser recurses
 * before it reports an error.
 */
export function createDepth(): (
  type: CST.TokenType | null,
  column: number,
  isFirstOfLine: boolean,
) => number {
  // Columns at which a block collection may have started.
  const columns: number[] = [];
  // One item per open bracket: the number of ":" since its last comma, since `{a: b: c}` nests without a bracket.
  const brackets: number[] = [];

  return (type, column, isFirstOfLine) => {
    if (type === 'flow-error-end') brackets.length = 0;
    else if (brackets.length > 0) follow(brackets, type);
    else if (isFirstOfLine) {
      while ((columns.at(-1) ?? -1) >= column) columns.pop();
      columns.push(column);
    } else if (type === 'seq-item-ind' || type === 'explicit-key-ind' || type === 'map-value-ind')
      columns.push(column);
    if (type === 'flow-map-start' || type === 'flow-seq-start') brackets.push(0);
    return columns.length + brackets.length + sum(brackets);
  };
}

function follow(brackets: number[], type: CST.TokenType | null): void {
  const last = brackets.length - 1;
  if (type === 'map-value-ind') brackets[last] = (brackets[last] ?? 0) + 1;
  if (type === 'comma') brackets[last] = 0;
  if (type === 'flow-map-end' || type === 'flow-seq-end') brackets.pop();
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
