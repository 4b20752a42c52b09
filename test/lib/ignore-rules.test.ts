import { describe, expect, test } from 'vitest';
import { parseIgnoreRules } from '../../src/lib/ignore-rules.ts';

const ignores = (syntax: 'git' | 'docker', text: string, path: string) =>
  parseIgnoreRules(text, { syntax })(path);

describe('.dockerignore', () => {
  test.each([
    ['node_modules', 'node_modules/pg/index.js', true],
    ['node_modules', 'services/node_modules/pg/index.js', false],
    ['**/node_modules', 'services/node_modules/pg/index.js', true],
    ['**/node_modules', 'node_modules/pg/index.js', true],
    ['*.log', 'a.log', true],
    ['*.log', 'deep/a.log', false],
    ['**/*.log', 'deep/er/a.log', true],
    ['/dist/', 'dist/main.js', true],
    ['dist', 'distribution/main.js', false],
    ['docs/**', 'docs/a/b.md', true],
    ['a?c.txt', 'abc.txt', true],
    ['a?c.txt', 'a/c.txt', false],
    ['[ab].txt', 'b.txt', true],
    ['[^ab].txt', 'b.txt', false],
    ['[^ab].txt', 'c.txt', true],
    // As filepath.Match of Go, by which Docker goes: `!` is one of the characters.
    ['[!ab].txt', 'b.txt', true],
    ['[!ab].txt', 'c.txt', false],
    ['[z-a]', 'm', false],
    ['[z-a]\n*.log', 'a.log', true],
    ['[ab', '[ab', true],
    ['a(b', 'a(b', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['**.log', 'deep/a.log', true],
    ['a**b', 'a/x/b', true],
    ['a**b', 'ax/b', true],
    ['a**b', 'axb', false],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b/c', true],
    ['docs/**', 'docs', false],
    ['**', 'a/b', true],
    ['*/a', 'x/a/b', true],
    ['*/a', 'x/y/a', false],
    ['./a//b/../c', 'a/c', true],
    ['! a', 'a', false],
    ['!', 'a', false],
    ['?', '🙂', true],
    ['constructor', 'constructor', true],
    ['a.b(c)', 'a.b(c)', true],
    ['a.b', 'aXb', false],
    ['# a comment', '# a comment', false],
    ['', 'anything', false],
    ['/', 'anything', false],
    ['*\n!README.md', 'README.md', false],
    ['*\n!src\nsrc/*.tmp', 'src/a.tmp', true],
    ['*\n!src', 'src/a.ts', false],
    ['*.log\r\n!keep.log\r\n', 'keep.log', false],
  ])('%j and %s', (text, path, expected) => {
    expect(ignores('docker', text, path)).toBe(expected);
  });
});

describe('.gitignore', () => {
  test.each([
    ['node_modules', 'services/node_modules/pg/index.js', true],
    ['*.log', 'deep/a.log', true],
    ['/dist', 'services/dist/a', false],
    ['services/dist', 'services/dist/a', true],
    ['services/dist', 'x/services/dist/a', false],
    ['out/', 'deep/out/a', true],
    ['[!ab].txt', 'deep/c.txt', true],
    ['[!ab].txt', 'deep/b.txt', false],
    ['[z-a]', 'm', false],
    ['a**b', 'deep/axb', true],
    ['a**b', 'ax/b', false],
  ])('%j and %s', (text, path, expected) => {
    expect(ignores('git', text, path)).toBe(expected);
  });
});

test.each<[string, string]>([
  ['**/'.repeat(10), `${'a/'.repeat(100)}b`],
  ['**/a/'.repeat(10), `${'a/'.repeat(100)}b`],
  ['*a'.repeat(10), 'a'.repeat(250)],
  [`${'**a/'.repeat(10)}*`, `${'a/'.repeat(1_000)}b`],
])('%sx takes less than a second', (start, path) => {
  for (const syntax of ['docker', 'git'] as const) {
    const began = performance.now();
    expect(ignores(syntax, `${start}x`, path)).toBe(false);
    expect(performance.now() - began).toBeLessThan(1_000);
  }
});
