import { expect, test } from 'vitest';
import { fitItems, fits, resultLimit, toSafeValue } from '../../../src/commands/mcp/limits.ts';
import { hideSecrets } from '../../../src/lib/secret-values.ts';

const build = (items: readonly string[], leftOut: number) => ({ items, leftOut });

test('all that fits is kept', () => {
  expect(fitItems(['a', 'b'], build)).toEqual({ items: ['a', 'b'], leftOut: 0 });
  expect(fitItems([], build)).toEqual({ items: [], leftOut: 0 });
});

test.each(['x', '한', '\\'])('as many as fit, of %j', (character) => {
  const items = Array.from({ length: 100 }, (_, at) => `${at} ${character.repeat(1_500)}`);
  const first = fitItems(items, build);
  expect(fits(first)).toBe(true);
  expect(fits(build(items.slice(0, first.items.length + 1), 0))).toBe(false);
  expect(first.items.length + first.leftOut).toBe(100);
  expect(first.items[0]).toMatch(/^0 /);
  expect(fitItems(items, build, { keeps: 'last' }).items.at(-1)).toMatch(/^99 /);
});

test('no more than the limit', () => {
  expect(fitItems(['a', 'b', 'c'], build, { limit: 2 })).toEqual({ items: ['a', 'b'], leftOut: 1 });
  expect(fitItems(['a', 'b', 'c'], build, { limit: 2, keeps: 'last' })).toEqual({
    items: ['b', 'c'],
    leftOut: 1,
  });
});

test('each line is cut, escape sequences are removed, and secrets in any form', () => {
  hideSecrets(['CANARY+7f3a/"value"']);
  const text = `a\u001b[31mred\u0007\n${'x'.repeat(5_000)}\nkorean 서비스`;
  const { log, nested } = toSafeValue({
    log: text,
    nested: [{ url: 'postgres://u:CANARY+7f3a/"value"@db' }],
  });
  const [first, second, third] = log.split('\n');
  expect(first).toBe('ared');
  expect(second).toHaveLength(2_000);
  expect(third).toBe('korean 서비스');
  expect(nested).toEqual([{ url: 'postgres://u:***@db' }]);
  expect(resultLimit).toBe(24_000);
});
