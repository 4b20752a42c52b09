import { scrubSecrets } from '../../lib/secret-values.ts';
import { toTerminalText } from '../../ui/terminal-text.ts';

/** Bytes of a result as JSON: 8,000 tokens, at three bytes each, which also holds for Korean. */
export const resultLimit = 24_000;

/** Characters of one line of text. */
const lineLimit = 2_000;

/** Cuts each line of a text, and removes what a terminal would obey. */
function toSafeText(text: string): string {
  return toTerminalText(text)
    .split('\n')
    .map((line) => (line.length <= lineLimit ? line : `${line.slice(0, lineLimit - 1)}…`))
    .join('\n');
}

/** The same value with each text in it made safe, and without secrets in any of their written forms. */
export function toSafeValue<T>(value: T): T {
  const safe = JSON.stringify(value, (_, each) => (typeof each === 'string' ? toSafeText(each) : each));
  return JSON.parse(scrubSecrets(safe));
}

/** Whether it is within the limit of a result. */
export function fits(value: unknown): boolean {
  return Buffer.byteLength(JSON.stringify(toSafeValue(value))) <= resultLimit;
}

/**
 * The result that `build` makes of as many items as a result may have: the first ones, or with `keeps: 'last'` the last.
 * `build` also gets how many were left out.
 */
export function fitItems<Item, Result>(
  items: readonly Item[],
  build: (kept: readonly Item[], leftOut: number) => Result,
  {
    keeps = 'first',
    limit = items.length,
  }: { readonly keeps?: 'first' | 'last'; readonly limit?: number } = {},
): Result {
  const keep = (count: number) => {
    const kept = keeps === 'first' ? items.slice(0, count) : items.slice(items.length - count);
    return build(kept, items.length - count);
  };
  let most = Math.min(items.length, limit);
  let least = 0;
  if (fits(keep(most))) return keep(most);
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (fits(keep(middle))) least = middle;
    else most = middle - 1;
  }
  return keep(least);
}
