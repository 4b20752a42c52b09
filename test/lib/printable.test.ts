import { expect, test } from 'vitest';
import { toAscii, toPrintable } from '../../src/lib/printable.ts';

test('what a terminal would act on is written out', () => {
  expect(toPrintable('\u001b[31mred\u0007\u009b0m')).toBe('\\u{1b}[31mred\\u{7}\\u{9b}0m');
  expect(toPrintable('a\tb\r\nc\0')).toBe('a\\u{9}b\\u{d}\\u{a}c\\u{0}');
});

test('what reorders text or cannot be seen is written out', () => {
  expect(toPrintable('\u202eabc\u2069\u200b\ufeff\u2028\u00a0')).toBe(
    '\\u{202e}abc\\u{2069}\\u{200b}\\u{feff}\\u{2028}\\u{a0}',
  );
  expect(toPrintable('half \ud83d of a pair')).toBe('half \\u{d83d} of a pair');
});

test('letters of any script and plain spaces stay', () => {
  expect(toPrintable('위리스트 Zürich \u{1f600}')).toBe('위리스트 Zürich \u{1f600}');
});

test('look-alikes of ASCII are escaped', () => {
  expect(toAscii('\u0430uth')).toBe('\\u{430}uth');
  expect(toAscii('cafe\u0301 \u{1f600}')).toBe('cafe\\u{301} \\u{1f600}');
});
