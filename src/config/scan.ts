import { CST, Lexer } from 'yaml';
import { ConfigFailure, placeAt, quote } from './problems.ts';

/** Far above any configuration, and far below what makes the parser overflow its stack or take seconds. */
const deepest = 32;
const mostItems = 10_000;
const mostTokens = 50_000;

const refused: Partial<Record<CST.TokenType, string>> = {
  alias: 'a plain value: aliases are not read, write the value out',
  anchor: 'a plain value: anchors are not read, write the value out where it is needed',
  tag: 'a plain value: tags are not read',
  'directive-line': 'no directive: the file is read as YAML 1.2',
};

/**
 * Refuses what the parser must not be given: deep nesting, thousands of keys, aliases, anchors, tags, directives.
 * Looks at the parser's own tokens, in one pass that ends at the first that is too much.
 * @throws {ConfigFailure}
 */
export function scan(text: string, file: string): void {
  let tokens = 0;
  let items = 0;
  let flowDepth = 0;
  let offset = 0;
  let lineStart = 0;
  let atLineStart = true;
  let isScalar = false;
  // Columns at which a block collection may have begun: never fewer than there are, at most about twice as many.
  const columns: number[] = [];

  for (const token of new Lexer().lex(text)) {
    const type: CST.TokenType | null = isScalar ? 'scalar' : CST.tokenType(token);
    isScalar = type === 'scalar' && token === CST.SCALAR;
    // Marks between the tokens that stand for no character of the text.
    if (isScalar || type === 'doc-mode' || type === 'flow-error-end') continue;

    const expected = type && refused[type];
    if (expected) refuse(offset, `got ${quote(token)}, expected ${expected}`);
    if (++tokens > mostTokens)
      refuse(offset, 'got a file of more than 50000 parts, expected a configuration');

    const column = offset - lineStart;
    const isContent = type !== 'space' && type !== 'newline' && type !== 'comment';
    if (isContent && flowDepth === 0 && atLineStart) {
      while ((columns.at(-1) ?? -1) >= column) columns.pop();
      columns.push(column);
    }
    if (type === 'seq-item-ind' || type === 'explicit-key-ind' || type === 'map-value-ind') {
      items++;
      if (flowDepth === 0 && !atLineStart) columns.push(column);
    }
    if (type === 'comma' || type === 'doc-start') items++;
    if (type === 'flow-map-start' || type === 'flow-seq-start') flowDepth++;
    if ((type === 'flow-map-end' || type === 'flow-seq-end') && flowDepth > 0) flowDepth--;
    if (items > mostItems)
      refuse(offset, `got more than ${mostItems} keys and items, expected a configuration`);
    if (columns.length + flowDepth > deepest) {
      refuse(offset, `got more than ${deepest} levels, expected a configuration of at most 5`);
    }

    if (isContent) atLineStart = false;
    const lastBreak = token.lastIndexOf('\n');
    if (lastBreak !== -1) {
      lineStart = offset + lastBreak + 1;
      atLineStart = true;
    }
    offset += token.length;
  }

  function refuse(at: number, problem: string): never {
    throw new ConfigFailure([{ place: placeAt(file, text, at), path: [], text: problem }]);
  }
}
