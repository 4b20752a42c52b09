import { expect, test } from 'vitest';
import { hideSecrets } from '../../src/lib/secret-values.ts';
import { createColors } from '../../src/ui/style.ts';
import { toTerminalText } from '../../src/ui/terminal-text.ts';

test.each([
  ['newline, tab and any script stay', 'a\tb\nčlověk 人 ✔ 👍', 'a\tb\nčlověk 人 ✔ 👍'],
  ['colours', '\x1b[31mred\x1b[0m', 'red'],
  ['cursor movements and clearing', 'a\x1b[2J\x1b[1;1Hb\x1b[K', 'ab'],
  ['writing to the clipboard', 'a\x1b]52;c;ZWNobw==\x07b', 'ab'],
  ['a link, ended by ST', '\x1b]8;;https://x\x1b\\text\x1b]8;;\x1b\\', 'text'],
  ['an unended OSC, up to its line', 'a\x1b]0;title\nb', 'a\nb'],
  ['device control', '\x1bP1$r0m\x1b\\x', 'x'],
  ['C1 codes', 'a\x9b31mb\x9d0;t\x07c\x85d', 'abcd'],
  ['a carriage return, which overwrites', 'safe\rfake', 'safefake'],
  ['CRLF', 'a\r\nb', 'a\nb'],
  ['NUL, backspace, bell, delete', 'a\x00\x08\x07\x7fb', 'ab'],
  ['a lone escape at the end', 'a\x1b', 'a'],
  ['marks that reorder text', 'a\u202eb\u2066c', 'abc'],
])('%s', (_, text, expected) => {
  expect(toTerminalText(text)).toBe(expected);
});

test('with colours, only those of style.ts are kept', () => {
  const colors = createColors(true);
  const ours = `${colors.red(colors.bold('a'))}${colors.dim('b')}${colors.cyan('c')}${colors.yellow('d')}${colors.green('e')}`;
  expect(toTerminalText(ours, { colors: true })).toBe(ours);
  // Hidden text, and black on black.
  expect(toTerminalText('\x1b[8mhidden\x1b[30;40mblack\x1b[2J', { colors: true })).toBe('hiddenblack');
});

test('replaces secrets', () => {
  hideSecrets(['s3cret-of-terminal-text']);
  expect(toTerminalText('key: s3cret-of-terminal-text.')).toBe('key: ***.');
});

test('the time is linear in the length of a line', () => {
  // With quadratic time, this test would time out.
  expect(toTerminalText(`\x1b]${'\x1b['.repeat(200_000)}`)).toBe('');
  expect(toTerminalText('\x1b['.concat('0'.repeat(2_000_000)))).toBe('');
});
