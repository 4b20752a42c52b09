import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from '../../src/config/parse.ts';
import { ConfigFailure } from '../../src/config/problems.ts';
import { createCheckout } from './checkout.ts';
import { startCpuTime } from './cpu-time.ts';
import { refusal } from './refusal.ts';

/** What fits in the 256 KB that are read at all. */
const most = 256 * 1024;
const fill = (piece: string) => piece.repeat(Math.floor(most / piece.length));
const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

const bombs: Readonly<Record<string, string>> = {
  'brackets in brackets': fill('['),
  'braces in braces': fill('{a: '),
  'brackets over lines': fill('[\n'),
  'lists in lists': fill('- '),
  'keys of keys': fill('? '),
  'values of values': fill(': '),
  'values of values in braces': `{${'a: '.repeat(9_900)}}`,
  'lines each one deeper': lines(700, (depth) => `${' '.repeat(depth)}a:`),
  'a bracket left open, then lists in lists': `a: [\n${'- '.repeat(9_000)}`,
  'brackets that a dedent ends, again and again': `a:\n ${fill('[\nb:\n ')}`,
  '30,000 keys': lines(30_000, (index) => `k${index}: 1`).slice(0, most),
  '60,000 items': `a:\n${fill('- a\n').slice(8)}`,
  '60,000 items in brackets': `a: [${fill('a, ').slice(8)}]`,
  'aliases of aliases': `a: &a [x, x]\n${lines(9, (index) => `k${index}: &k${index} [*a, *a]`)}`,
  '50,000 aliases': fill('- *a\n'),
  '60,000 documents': fill('---\n'),
  'empty lines': fill('\n'),
  comments: fill('#\n'),
  quotes: fill('"'),
};

describe('is refused by the scan, before the parser', () => {
  test.each(Object.entries(bombs))('%s', (_, text) => {
    // The best of three: a cold start is not what is measured.
    const times = [1, 2, 3].map(() => {
      const cpuTime = startCpuTime();
      expect(() => parse(text, 'x.yaml')).toThrow(/^x\.yaml:\d+:\d+: got /);
      return cpuTime();
    });
    expect(Math.min(...times)).toBeLessThan(100);
  });
});

describe('is parsed in time', () => {
  test.each([
    ['10,000 items', `a:\n${'- a\n'.repeat(9_990)}`],
    ['one long line', `a: ${'x'.repeat(most - 3)}`],
    ['a block of many lines', `a: |\n${fill(' x\n').slice(9)}`],
    ['brackets closed that were never opened', `a: x\n${']'.repeat(40_000)}`],
    ['a quote that runs on', `a: "${fill('\n').slice(9)}"`],
  ])('%s', (_, text) => {
    const cpuTime = startCpuTime();
    try {
      parse(text, 'x.yaml');
    } catch (error) {
      expect(String(error)).toMatch(/^ConfigFailure: x\.yaml:\d+:\d+: /);
    }
    expect(cpuTime()).toBeLessThan(1000);
  });
});

test('a file of more than 256 KB is not parsed, whatever it holds', async () => {
  const checkout = await createCheckout();
  for (const size of [most + 1, 50 * 1024 * 1024]) {
    await writeFile(join(checkout, 'env/local.yaml'), '#'.repeat(size));
    const cpuTime = startCpuTime();
    expect(await refusal(checkout)).toBe(
      'env/local.yaml: got more than 256 KB, expected a configuration of at most 256 KB',
    );
    expect(cpuTime()).toBeLessThan(1000);
  }
});

test('a file of 256 KB is read', async () => {
  const checkout = await createCheckout({ 'env/local.yaml': `${'#'.repeat(most - 10)}\nxy: 1` });
  expect(await refusal(checkout)).toMatch(/^env\/local\.yaml:2:1 xy: got an unknown key/);
});

// Where the parser runs out of stack it says so at best; at worst V8 ends the process.
describe('never runs out of stack', () => {
  const openers = [
    '[',
    '{',
    '- ',
    '? ',
    'a: ',
    'a:\n ',
    '[\n',
    '"k": ',
    '{a: ',
    '[a: ',
    '- a: ',
    '? - ',
    '[]: ',
    'a: }',
    ', a: ',
  ];
  test.each(['', '{', '[', 'a:\n '])('after %j', (start) => {
    for (const opener of openers) {
      try {
        parse(start + opener.repeat(4_000), 'x.yaml');
      } catch (error) {
        if (!(error instanceof ConfigFailure)) throw error;
        expect(error.message).not.toMatch(/call stack/);
      }
    }
  });
});

test('nesting as deep as any configuration of ours is read', () => {
  const text = lines(12, (depth) => `${'  '.repeat(depth)}a:`);
  expect(() => parse(`${text} [[[[1]]]]`, 'x.yaml')).not.toThrow();
});
