import { CST, Lexer } from 'yaml';
import { createDepth } from './depth.ts';
import { ConfigFailure, placeAt, quote } from './problems.ts';

/** Far above any real configuration, far below what makes the parser overflow its stack or take seconds. */
const limits = { depth: 32, items: 10_000, tokens: 45_000 };

const refused: Partial<Record<CST.TokenType, string>> = {
  alias: 'a plain value: aliases are not supported, repeat the value',
  anchor: 'a plain value: anchors are not supported, repeat the value where it is needed',
  tag: 'a plain value: tags are not supported',
  'directive-line': 'no directive: the file is read as YAML 1.2',
};

const items = new Set<CST.TokenType | null>([
  'seq-item-ind',
  'explicit-key-ind',
  'map-value-ind',
  'comma',
  'flow-map-end',
  'flow-seq-end',
  'doc-start',
  'doc-end',
]);

/**
 * Refuses input that is unsafe for the parser: deep nesting, thousands of keys, aliases, anchors, tags, directives.
 * Reads the parser's own tokens in one pass and stops at the first violation.
 * @throws {ConfigFailure} with its place.
 */
export function scan(text: string, file: string): void {
  const toDepth = createDepth();
  const counted = { depth: 0, items: 0, tokens: 0 };
  let offset = 0;
  let lineStart = 0;
  let isFirstOfLine = true;
  let announced = false;

  for (const token of new Lexer().lex(text)) {
    const type: CST.TokenType | null = announced ? 'scalar' : CST.tokenType(token);
    // Marks stand for no character of the text; a scalar mark announces a plain or block scalar.
    const isMark: boolean =
      !announced && (type === 'scalar' || type === 'doc-mode' || type === 'flow-error-end');
    announced = isMark && type === 'scalar';

    const expected = type && refused[type];
    if (expected) refuse(`got ${quote(token)}, expected ${expected}`);
    if (isOpenQuote(type, token)) refuse('got an unclosed quote, expected a closing one');

    if (!isMark) counted.tokens++;
    if (items.has(type)) counted.items++;
    if (!isSpace(type) && (!isMark || type === 'flow-error-end')) {
      counted.depth = toDepth(type, offset - lineStart, isFirstOfLine);
      isFirstOfLine = false;
    }
    if (counted.tokens > limits.tokens) refuse(`got more than ${limits.tokens} words, expected fewer`);
    if (counted.items > limits.items) refuse(`got more than ${limits.items} keys and items, expected fewer`);
    if (counted.depth > limits.depth) refuse(`got more than ${limits.depth} levels, expected at most 5`);

    if (isMark) continue;
    const lastBreak = token.lastIndexOf('\n');
    if (lastBreak !== -1) {
      lineStart = offset + lastBreak + 1;
      isFirstOfLine = true;
    }
    offset += token.length;
  }

  function refuse(problem: string): never {
    throw new ConfigFailure([{ place: placeAt(file, text, offset), path: [], text: problem }]);
  }
}

function isSpace(type: CST.TokenType | null): boolean {
  return type === 'space' || type === 'newline' || type === 'comment';
}

function isOpenQuote(type: CST.TokenType | null, token: string): boolean {
  if (type !== 'single-quoted-scalar' && type !== 'double-quoted-scalar') return false;
  return token.length < 2 || !token.endsWith(token.charAt(0));
}
