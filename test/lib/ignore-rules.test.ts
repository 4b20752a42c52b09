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
    ['[!ab].txt', 'b.txt', false],
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
  ])('%j and %s', (text, path, expected) => {
    expect(ignores('git', text, path)).toBe(expected);
  });
});
