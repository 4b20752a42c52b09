import type { CST } from 'yaml';

/**
 * Follows the parser's tokens and says how deeply it will nest: never less than it does, in block style up to about
 * twice as much. What the parser makes of broken text counts too, since it recurses before it complains.
 */
export function createDepth(): (
  type: CST.TokenType | null,
  column: number,
  isFirstOfLine: boolean,
) => number {
  // Columns at which a block collection may have begun.
  const columns: number[] = [];
  // The open brackets, each with the ":" since its last comma: `{a: b: c}` nests without a bracket.
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
